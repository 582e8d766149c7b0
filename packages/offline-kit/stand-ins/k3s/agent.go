package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"
)

// The keys of an agent's configuration that cloudcode sets.
type agentConfig struct {
	Server          string `json:"server"`
	TokenFile       string `json:"token-file"`
	NodeName        string `json:"node-name"`
	NodeIP          string `json:"node-ip"`
	PrivateRegistry string `json:"private-registry"`
	DisableDefault  bool   `json:"disable-default-registry-endpoint"`
}

// Joins the server's cluster, which it knows by the hash in its token, and runs what it is given.
func join(configFile, iface string) {
	// The parts are killed with this thread, so it must not be one that Go may end.
	runtime.LockOSThread()
	var a agentConfig
	if err := yaml.UnmarshalStrict(value(os.ReadFile(configFile)), &a); err != nil {
		fail("%s: %v", configFile, err)
	}
	checkInterface(iface, a.NodeIP)
	checkRegistries(a.PrivateRegistry)
	checkImages()
	token := strings.TrimSpace(string(value(os.ReadFile(a.TokenFile))))
	parts := regexp.MustCompile(`^K10([0-9a-f]{64})::node:(\S+)$`).FindStringSubmatch(token)
	if parts == nil {
		fail("the token is not of the form that names the server's authority and the user `node`")
	}
	folder := filepath.Join(dataFolder, "agent")
	must(os.MkdirAll(folder, 0o700))
	authority := filepath.Join(folder, "server-ca.crt")
	must(os.WriteFile(authority, authorityOf(a.Server, parts[1]), 0o600))
	kubeconfig := filepath.Join(folder, "kubelet.kubeconfig")
	must(os.WriteFile(kubeconfig, []byte(fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{ name: default, cluster: { server: "%s", certificate-authority: %s } }]
users: [{ name: default, user: { token: "%s" } }]
contexts: [{ name: default, context: { cluster: default, user: default } }]
current-context: default
`, a.Server, authority, parts[2])), 0o600))
	client := value(kubernetes.NewForConfig(value(clientcmd.BuildConfigFromFlags("", kubeconfig))))
	provePassword(client, a.NodeName)
	networks := value(client.CoreV1().ConfigMaps("kube-system").Get(context.Background(), "networks", meta.GetOptions{})).Data
	c := config{NodeName: a.NodeName, NodeIP: a.NodeIP, FlannelIface: iface, ClusterCIDR: networks["pods"], ServiceCIDR: networks["services"]}
	runNode(c, kubeconfig, ownAddress(c))
}

// The certificate of the server's authority, once the server answers; another one than the token names is refused.
func authorityOf(server, hash string) []byte {
	address := value(url.Parse(server)).Host
	for {
		connection, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
		if err == nil {
			defer connection.Close()
			chain := connection.ConnectionState().PeerCertificates
			text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: chain[len(chain)-1].Raw})
			if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != hash {
				fail("the server's authority is not the one that the token names")
			}
			return text
		}
		fmt.Fprintln(os.Stderr, err)
		time.Sleep(2 * time.Second)
	}
}

// A name belongs to the machine that came with it first, as with the real one; kept in plain text here.
func provePassword(client kubernetes.Interface, node string) {
	file := "/etc/rancher/node/password"
	must(os.MkdirAll(filepath.Dir(file), 0o700))
	if _, err := os.Stat(file); err != nil {
		random := make([]byte, 16)
		value(rand.Read(random))
		must(os.WriteFile(file, []byte(hex.EncodeToString(random)), 0o600))
	}
	own := string(value(os.ReadFile(file)))
	secrets := client.CoreV1().Secrets("kube-system")
	known, err := secrets.Get(context.Background(), node+".node-password.k3s", meta.GetOptions{})
	if err != nil {
		value(secrets.Create(context.Background(), &core.Secret{ObjectMeta: meta.ObjectMeta{Name: node + ".node-password.k3s"},
			StringData: map[string]string{"hash": own}}, meta.CreateOptions{}))
		return
	}
	if string(known.Data["hash"]) != own {
		fail("node password rejected: another machine has the name %s", node)
	}
}

// What agents join with, for the API of Kubernetes, which stands in for k3s's own; the file that it reads.
func writeAgentToken(file string, ca authority) string {
	token := strings.TrimSpace(string(value(os.ReadFile(file))))
	sum := sha256.Sum256(value(os.ReadFile(ca.path("ca.crt"))))
	full := fmt.Sprintf("K10%s::node:%s\n", hex.EncodeToString(sum[:]), token)
	must(os.WriteFile(filepath.Join(dataFolder, "server", "agent-token"), []byte(full), 0o600))
	known := ca.path("tokens.csv")
	must(os.WriteFile(known, []byte(token+",node,node,system:masters\n"), 0o600))
	return known
}

// Tells the agents what the real server tells them by its own API.
func publishNetworks(c config) {
	client := value(kubernetes.NewForConfig(value(clientcmd.BuildConfigFromFlags("", c.WriteKubeconfig))))
	maps := client.CoreV1().ConfigMaps("kube-system")
	networks := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: "networks"}, Data: map[string]string{"pods": c.ClusterCIDR, "services": c.ServiceCIDR}}
	for {
		_, err := maps.Create(context.Background(), networks, meta.CreateOptions{})
		if err != nil {
			_, err = maps.Update(context.Background(), networks, meta.UpdateOptions{})
		}
		if err == nil {
			return
		}
		time.Sleep(time.Second)
	}
}
