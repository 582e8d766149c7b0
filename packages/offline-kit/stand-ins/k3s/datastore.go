package main

import (
	"context"
	"os"
	"path/filepath"
	"time"

	_ "github.com/k3s-io/kine/pkg/drivers/sqlite"
	"github.com/k3s-io/kine/pkg/endpoint"
)

// Where k3s has its parts find it: among the cluster's own state.
var datastore = "unix://" + filepath.Join(dataFolder, "server", "kine.sock")

// The state of the cluster in SQLite, by k3s's own kine with its defaults: the files are those of the real one.
func startDatastore(folder string) {
	must(os.MkdirAll(folder, 0o700))
	value(endpoint.Listen(context.Background(), endpoint.Config{
		Listener:            datastore,
		Endpoint:            "sqlite://" + filepath.Join(folder, "state.db") + "?_journal=WAL&cache=shared&_busy_timeout=30000&_txlock=immediate",
		NotifyInterval:      5 * time.Second,
		EmulatedETCDVersion: "3.5.13",
		CompactInterval:     5 * time.Minute,
		CompactTimeout:      5 * time.Second,
		CompactMinRetain:    1000,
		CompactBatchSize:    1000,
		PollBatchSize:       500,
	}))
}
