#!/bin/sh
# Stops k3s, so that its state can be replaced. Run by cloudcode-backup before a restore; ready.sh starts it again.
systemctl stop cloudcode-k3s
