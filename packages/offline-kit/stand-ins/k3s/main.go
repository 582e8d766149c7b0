// A stand-in for k3s, whose own module no registry serves: the same parts of Kubernetes, real and of the same version, as
// processes of one program. It takes what `k3s server` and `k3s agent` take, checks it, and refuses what the real one would not find.
// It has no kubelet, containerd, flannel and CoreDNS (see pods.go).
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

var parts = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllers.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kube-proxy":              proxy.NewProxyCommand,
	"kubectl":                 kubectl.NewDefaultKubectlCommand,
}

func main() {
	if len(os.Args) < 2 {
		fail("it takes a command: server, agent or kubectl")
	}
	name := os.Args[1]
	if part, known := parts[name]; known {
		os.Args = os.Args[1:]
		os.Exit(cli.Run(part()))
	}
	switch {
	case name == "server" || name == "agent":
		flags := flag.NewFlagSet(name, flag.ExitOnError)
		configFile := flags.String("config", "", "")
		iface := flags.String("flannel-iface", "", "")
		must(flags.Parse(os.Args[2:]))
		if name == "server" {
			serve(*configFile, *iface)
		} else {
			join(*configFile, *iface)
		}
	default:
		fail("it knows no %q", os.Args[1:])
	}
}

// What journald shows last is what the operator reads.
func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, "k3s stand-in: "+format+"\n", values...)
	os.Exit(1)
}
