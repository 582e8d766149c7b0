package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// What answers in a pod in the place of its image, on port 3000: the headers it got.
const answer = `use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalPort => 3000, Listen => 5, ReuseAddr => 1) or die $!;
while (my $c = $s->accept) { my $t = ""; while (<$c>) { last if /^\r?$/; $t .= $_ } print $c "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " . length($t) . "\r\n\r\n$t"; close $c }`

// What flannel adds to the packet filter.
const flannelRules = `iptables -w -N FLANNEL-FWD 2>/dev/null && iptables -w -A FLANNEL-FWD -s %[1]s -j ACCEPT && iptables -w -A FLANNEL-FWD -d %[1]s -j ACCEPT && iptables -w -A FORWARD -j FLANNEL-FWD
iptables -w -t nat -N FLANNEL-POSTRTG 2>/dev/null && iptables -w -t nat -A FLANNEL-POSTRTG -s %[1]s ! -d %[1]s -j MASQUERADE && iptables -w -t nat -A POSTROUTING -j FLANNEL-POSTRTG
true`

// In the place of kubelet, containerd and flannel, which a container in a container cannot be sure to run: a pod is a network
// namespace on the bridge cni0, with an address of the node's, and one process. What the machine's packet filter does with
// its traffic is as real as the rules of kube-proxy and kube-router are.
func runPods(c config, kubeconfig string, node core.Node) {
	client := value(kubernetes.NewForConfig(value(clientcmd.BuildConfigFromFlags("", kubeconfig))))
	ctx := context.Background()
	nodes := client.CoreV1().Nodes()
	must(os.MkdirAll("/run/k3s", 0o755))
	var prefix string
	registered := false
	for ; ; time.Sleep(time.Second) {
		known, err := nodes.Get(ctx, c.NodeName, meta.GetOptions{})
		// As kubelet, it says only once that it is there.
		if err != nil && !registered {
			known, err = nodes.Create(ctx, &node, meta.CreateOptions{})
		}
		if err != nil {
			continue
		}
		registered = true
		known.Status.Conditions = []core.NodeCondition{{Type: core.NodeReady, Status: core.ConditionTrue, Reason: "StandIn", LastHeartbeatTime: meta.Now()}}
		known.Status.Addresses = node.Status.Addresses
		known.Status.Capacity, known.Status.Allocatable = node.Status.Capacity, node.Status.Allocatable
		nodes.UpdateStatus(ctx, known, meta.UpdateOptions{})
		if prefix == "" && known.Spec.PodCIDR != "" {
			prefix = strings.TrimSuffix(known.Spec.PodCIDR, "0/24")
			shell("ip link add cni0 type bridge 2>/dev/null; ip address add %s1/24 dev cni0 2>/dev/null; ip link set cni0 up", prefix)
			shell(flannelRules, c.ClusterCIDR)
		}
		pods, err := client.CoreV1().Pods("").List(ctx, meta.ListOptions{FieldSelector: "spec.nodeName=" + c.NodeName})
		if err != nil || prefix == "" {
			continue
		}
		// What lives on from before this program's start stays, unless the cluster knows it no more, as with kubelet.
		running := namespaces()
		addresses := map[string]bool{}
		for _, pod := range pods.Items {
			addresses[pod.Status.PodIP] = true
		}
		for _, pod := range pods.Items {
			id := "cni-" + string(pod.UID)[:8]
			if pod.DeletionTimestamp != nil {
				client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, *meta.NewDeleteOptions(0))
				continue
			}
			if running[id] {
				delete(running, id)
				continue
			}
			address := prefix + "2"
			for next := 3; addresses[address]; next++ {
				address = fmt.Sprintf("%s%d", prefix, next)
			}
			addresses[address] = true
			startPod(id, address, prefix+"1")
			pod.Status = core.PodStatus{Phase: core.PodRunning, PodIP: address, PodIPs: []core.PodIP{{IP: address}}, StartTime: &meta.Time{Time: time.Now()},
				HostIP: node.Status.Addresses[0].Address, Conditions: []core.PodCondition{{Type: core.PodReady, Status: core.ConditionTrue}}}
			if _, err := client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, &pod, meta.UpdateOptions{}); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}
		for id := range running {
			shell("kill -9 $(cat %s/cgroup.procs); ip netns delete %s", groupOf(id), id)
		}
	}
}

// The pods of this machine.
func namespaces() map[string]bool {
	found := map[string]bool{}
	for _, line := range strings.Split(string(value(exec.Command("ip", "netns", "list").Output())), "\n") {
		if name, _, _ := strings.Cut(line, " "); strings.HasPrefix(name, "cni-") {
			found[name] = true
		}
	}
	return found
}

func groupOf(id string) string {
	groups := "/sys/fs/cgroup"
	if _, err := os.Stat(filepath.Join(groups, "pids")); err == nil {
		groups = filepath.Join(groups, "pids")
	}
	return filepath.Join(groups, "kubepods", id)
}

// As those of containerd, the process is of a control group of its own and outlives this program.
func startPod(id, address, gateway string) {
	short := id[4:]
	shell("ip netns add %[1]s && ip link add veth%[2]s type veth peer name eth0 netns %[1]s && ip link set veth%[2]s master cni0 up && ip netns exec %[1]s sh -c 'ip link set lo up; ip link set eth0 up; ip address add %[3]s/24 dev eth0; ip route add default via %[4]s'", id, short, address, gateway)
	group := groupOf(id)
	must(os.MkdirAll(group, 0o755))
	process := exec.Command("sh", "-c", `echo $$ >"$1"/cgroup.procs && exec ip netns exec "$2" perl -e "$3"`, "sh", group, id, answer)
	process.Stderr = os.Stderr
	must(process.Start())
	go process.Wait()
}

func shell(format string, values ...any) {
	command := exec.Command("sh", "-c", fmt.Sprintf(format, values...))
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		fmt.Fprintln(os.Stderr, command.Args[2], err)
	}
}
