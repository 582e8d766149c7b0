// Package client stands in for the gateway of Object Storage calls, whose module the Go proxy refuses.
package client

import (
	"errors"

	spi "github.com/alibabacloud-go/alibabacloud-gateway-spi/client"
)

// NewClient refuses: the one resource type of this plugin that calls Object Storage, the bucket, has a client of its own.
func NewClient() (spi.ClientInterface, error) {
	return nil, errors.New("this build of pulumi-resource-alicloud cannot call Object Storage")
}
