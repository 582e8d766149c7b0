package main

import (
	"sync"
	"time"

	"github.com/cloudnativelabs/kube-router/v2/pkg/controllers/netpol"
	"github.com/cloudnativelabs/kube-router/v2/pkg/healthcheck"
	"github.com/cloudnativelabs/kube-router/v2/pkg/options"
	"github.com/cloudnativelabs/kube-router/v2/pkg/utils"
	"github.com/coreos/go-iptables/iptables"
	core "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// The network policy controller that k3s has built in, kube-router's, with the settings that k3s gives it.
func watchPolicies(c config, kubeconfig string) {
	rest := value(clientcmd.BuildConfigFromFlags("", kubeconfig))
	client := value(kubernetes.NewForConfig(rest))
	settings := options.NewKubeRouterConfig()
	settings.HostnameOverride = c.NodeName
	settings.RunFirewall = true
	settings.IPTablesSyncPeriod = 5 * time.Minute
	settings.EnableIPv4, settings.EnableIPv6 = true, false
	settings.ClusterIPCIDRs = []string{c.ServiceCIDR}
	settings.NodePortRange = "30000-32767"
	stop := make(chan struct{})
	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods().Informer()
	policies := factory.Networking().V1().NetworkPolicies().Informer()
	namespaces := factory.Core().V1().Namespaces().Informer()
	factory.Start(stop)
	factory.WaitForCacheSync(stop)
	rules := value(iptables.NewWithProtocol(iptables.ProtocolIPv4))
	sets := value(utils.NewIPSet(false))
	must(sets.Save())
	controller := value(netpol.NewNetworkPolicyController(client, settings, pods, policies, namespaces, &sync.Mutex{},
		map[core.IPFamily]utils.IPTablesHandler{core.IPv4Protocol: rules},
		map[core.IPFamily]utils.IPSetHandler{core.IPv4Protocol: sets}))
	value(pods.AddEventHandler(controller.PodEventHandler))
	value(namespaces.AddEventHandler(controller.NamespaceEventHandler))
	value(policies.AddEventHandler(controller.NetworkPolicyEventHandler))
	heartbeats := make(chan *healthcheck.ControllerHeartbeat, 10)
	go func() {
		for range heartbeats {
		}
	}()
	var group sync.WaitGroup
	group.Add(1)
	controller.Run(heartbeats, stop, &group)
}
