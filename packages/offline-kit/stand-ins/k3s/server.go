package main

import (
	"crypto/tls"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Runs the parts until it is told to end, and ends where one of them does.
func serve(configFile, iface string) {
	// The parts are killed with this thread, so it must not be one that Go may end.
	runtime.LockOSThread()
	c := readConfig(configFile, iface)
	own := ownAddress(c)
	ca := openAuthority(filepath.Join(dataFolder, "server", "tls"))
	addresses := []net.IP{net.IPv4(127, 0, 0, 1), own, firstAddress(c.ServiceCIDR)}
	for _, san := range c.TLSSan {
		addresses = append(addresses, net.ParseIP(san))
	}
	ca.issue("server", pkix.Name{CommonName: "kube-apiserver"}, addresses)
	ca.issue("admin", pkix.Name{CommonName: "system:admin", Organization: []string{"system:masters"}}, nil)
	if _, err := os.Stat(ca.path("service.key")); err != nil {
		ca.newKey("service")
	}
	writeKubeconfig(c.WriteKubeconfig, ca)
	startDatastore(filepath.Join(dataFolder, "server", "db"))

	kubeconfig := "--kubeconfig=" + c.WriteKubeconfig
	tokens := []string{}
	if c.AgentTokenFile != "" {
		tokens = append(tokens, "--token-auth-file="+writeAgentToken(c.AgentTokenFile, ca))
	}
	start("kube-apiserver", append(tokens, "--etcd-servers="+datastore, "--secure-port=6443", "--bind-address=0.0.0.0", "--advertise-address="+own.String(),
		"--tls-cert-file="+ca.chain("server"), "--tls-private-key-file="+ca.path("server.key"), "--client-ca-file="+ca.path("ca.crt"),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local", "--service-account-key-file="+ca.path("service.key"),
		"--service-account-signing-key-file="+ca.path("service.key"), "--service-cluster-ip-range="+c.ServiceCIDR, "--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction", "--cert-dir="+ca.folder)...)
	waitReady()
	start("kube-controller-manager", kubeconfig, "--root-ca-file="+ca.path("ca.crt"), "--service-account-private-key-file="+ca.path("service.key"),
		"--cluster-cidr="+c.ClusterCIDR, "--allocate-node-cidrs", "--leader-elect=false", "--secure-port=0", "--node-monitor-grace-period=60s")
	start("kube-scheduler", kubeconfig, "--leader-elect=false", "--secure-port=0")
	publishNetworks(c)
	runNode(c, c.WriteKubeconfig, own)
}

// What every machine of the cluster runs, until it is told to end.
func runNode(c config, kubeconfig string, own net.IP) {
	start("kube-proxy", "--kubeconfig="+kubeconfig, "--hostname-override="+c.NodeName, "--cluster-cidr="+c.ClusterCIDR, "--proxy-mode=iptables",
		"--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0", "--conntrack-tcp-timeout-close-wait=0", "--healthz-bind-address=0.0.0.0:10256")
	go watchPolicies(c, kubeconfig)
	go runPods(c, kubeconfig, nodeOf(c, own))
	if c.FlannelIface != "" {
		go connectNodes(c, kubeconfig)
	}
	notify("READY=1")

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	select {
	case <-stop:
	case words := <-ended:
		fail("%s", words)
	}
}

var ended = make(chan string, len(parts))

// Runs a part of Kubernetes, which is this program again.
func start(name string, flags ...string) {
	process := exec.Command(value(os.Executable()), append([]string{name}, flags...)...)
	process.Stdout, process.Stderr = os.Stdout, os.Stderr
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(process.Start())
	go func() { ended <- fmt.Sprintf("%s ended: %v", name, process.Wait()) }()
}

func waitReady() {
	client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	for range 240 {
		if answer, err := client.Get("https://127.0.0.1:6443/readyz"); err == nil && answer.StatusCode == http.StatusOK {
			return
		}
		time.Sleep(500 * time.Millisecond)
	}
	fail("the API did not become ready within two minutes")
}

func writeKubeconfig(file string, ca authority) {
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{ name: default, cluster: { server: "https://127.0.0.1:6443", certificate-authority: %s } }]
users: [{ name: default, user: { client-certificate: %s, client-key: %s } }]
contexts: [{ name: default, context: { cluster: default, user: default } }]
current-context: default
`, ca.path("ca.crt"), ca.path("admin.crt"), ca.path("admin.key"))
	must(os.WriteFile(file, []byte(text), 0o600))
}

func nodeOf(c config, own net.IP) core.Node {
	size := core.ResourceList{"cpu": resource.MustParse("2"), "memory": resource.MustParse("8Gi"), "pods": resource.MustParse("110")}
	return core.Node{
		ObjectMeta: meta.ObjectMeta{Name: c.NodeName, Labels: map[string]string{"kubernetes.io/hostname": c.NodeName}},
		Status: core.NodeStatus{Capacity: size, Allocatable: size,
			Addresses: []core.NodeAddress{{Type: core.NodeInternalIP, Address: own.String()}}},
	}
}

// The address that is set, or the one that leads out, as k3s takes it.
func ownAddress(c config) net.IP {
	if c.NodeIP != "" {
		return net.ParseIP(c.NodeIP)
	}
	connection := value(net.Dial("udp", "192.0.2.1:9"))
	defer connection.Close()
	return connection.LocalAddr().(*net.UDPAddr).IP
}

func firstAddress(cidr string) net.IP {
	_, network, err := net.ParseCIDR(cidr)
	must(err)
	address := network.IP.To4()
	address[3]++
	return address
}

// https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
func notify(state string) {
	connection, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
	if err != nil {
		fail("systemd is not told: %v", err)
	}
	defer connection.Close()
	value(connection.Write([]byte(state)))
}
