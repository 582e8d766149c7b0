package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// In the place of flannel's WireGuard, which the kernel of a CI machine may lack: VXLAN under the same name of the interface and
// on the same port, unencrypted. As WireGuard does, it takes from a machine only what comes from that machine's pods.
func connectNodes(c config, kubeconfig string) {
	client := value(kubernetes.NewForConfig(value(clientcmd.BuildConfigFromFlags("", kubeconfig))))
	must(os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644))
	var done string
	for ; ; time.Sleep(time.Second) {
		nodes, err := client.CoreV1().Nodes().List(context.Background(), meta.ListOptions{})
		if err != nil {
			continue
		}
		var own, routes string
		for _, node := range nodes.Items {
			network, _, _ := strings.Cut(node.Spec.PodCIDR, "/")
			if node.Name == c.NodeName {
				own = network
			} else if network != "" && len(node.Status.Addresses) > 0 {
				routes += fmt.Sprintf("bridge fdb append 00:00:00:00:00:00 dev flannel-wg dst %s\nip route replace %s via %s dev flannel-wg onlink\n",
					node.Status.Addresses[0].Address, node.Spec.PodCIDR, network)
			}
		}
		if own == "" || own+routes == done {
			continue
		}
		done = own + routes
		shell(`ip link delete flannel-wg 2>/dev/null
ip link add flannel-wg type vxlan id 1 dev %s local %s dstport 51820 nolearning && ip address add %s/32 dev flannel-wg && ip link set flannel-wg up
echo 1 >/proc/sys/net/ipv4/conf/flannel-wg/rp_filter
%s`, c.FlannelIface, c.NodeIP, own, routes)
	}
}
