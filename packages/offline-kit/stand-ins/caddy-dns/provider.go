// A stand-in for the modules of https://github.com/caddy-dns: it reads a Caddyfile as strictly as they do, and hands each record with the
// credentials to the test's DNS provider at $CLOUDCODE_DNS_STAND_IN instead of to the real one.
package dns

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/libdns/libdns"
)

// syntax is what the UnmarshalCaddyfile of one module takes: a value behind its name, or a block of fields.
type syntax struct {
	inline   bool
	needed   []string
	optional []string
}

func token(field string) syntax { return syntax{inline: true, needed: []string{field}} }

func block(needed ...string) syntax { return syntax{needed: needed} }

var modules = map[string]syntax{
	"alidns":       block("access_key_id", "access_key_secret"),
	"cloudflare":   token("api_token"),
	"desec":        block("token"),
	"digitalocean": token("api_token"),
	"duckdns":      token("api_token"),
	"hetzner":      token("api_token"),
	"ionos":        token("api_token"),
	"linode":       token("api_token"),
	"namecheap":    {needed: []string{"api_key", "user"}, optional: []string{"endpoint", "client_ip"}},
	"netcup":       block("customer_number", "api_key", "api_password"),
	"ovh":          block("endpoint", "application_key", "application_secret", "consumer_key"),
	"porkbun":      block("api_key", "api_secret_key"),
	"rfc2136":      block("key_name", "key_alg", "key", "server"),
	"route53": {
		needed:   []string{"access_key_id", "secret_access_key"},
		optional: []string{"region", "session_token", "hosted_zone_id", "profile", "max_retries", "route53_max_wait"},
	},
	"tencentcloud": block("secret_id", "secret_key"),
	"vultr":        token("api_token"),
	// No module of the product's table: a user names it with its version.
	"other": block("some_key", "some_secret"),
}

func init() {
	for name := range modules {
		caddy.RegisterModule(Provider{name: name})
	}
}

// Provider is one of the modules.
type Provider struct {
	name   string
	Values map[string]string `json:"values"`
}

// CaddyModule returns the Caddy module information.
func (p Provider) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  caddy.ModuleID("dns.providers." + p.name),
		New: func() caddy.Module { return &Provider{name: p.name, Values: map[string]string{}} },
	}
}

// Provision resolves placeholders, as the real modules do.
func (p *Provider) Provision(caddy.Context) error {
	for field, value := range p.Values {
		p.Values[field] = caddy.NewReplacer().ReplaceAll(value, "")
		if p.Values[field] == "" {
			return fmt.Errorf("%s: %s is empty", p.name, field)
		}
	}
	return nil
}

// UnmarshalCaddyfile reads the provider's tokens.
func (p *Provider) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	takes := modules[p.name]
	d.Next()
	for d.NextArg() {
		if !takes.inline || len(p.Values) > 0 {
			return d.ArgErr()
		}
		p.Values[takes.needed[0]] = d.Val()
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		field := d.Val()
		if takes.inline || !slices.Contains(append(takes.optional, takes.needed...), field) {
			return d.Errf("unrecognized subdirective '%s'", field)
		}
		if !d.NextArg() {
			return d.ArgErr()
		}
		p.Values[field] = d.Val()
		if d.NextArg() {
			return d.ArgErr()
		}
	}
	for _, field := range takes.needed {
		if p.Values[field] == "" {
			return d.Errf("missing %s", field)
		}
	}
	return nil
}

// AppendRecords implements libdns.RecordAppender.
func (p *Provider) AppendRecords(ctx context.Context, zone string, records []libdns.Record) ([]libdns.Record, error) {
	return records, p.send(ctx, "append", zone, records)
}

// DeleteRecords implements libdns.RecordDeleter.
func (p *Provider) DeleteRecords(ctx context.Context, zone string, records []libdns.Record) ([]libdns.Record, error) {
	return records, p.send(ctx, "delete", zone, records)
}

func (p *Provider) send(ctx context.Context, verb string, zone string, records []libdns.Record) error {
	for _, record := range records {
		rr := record.RR()
		body, err := json.Marshal(map[string]any{
			"provider": p.name, "credentials": p.Values, "zone": zone,
			"name": libdns.AbsoluteName(rr.Name, zone), "type": rr.Type, "data": rr.Data,
		})
		if err != nil {
			return err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, os.Getenv("CLOUDCODE_DNS_STAND_IN")+"/"+verb, bytes.NewReader(body))
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		said, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("%s refuses: %s", p.name, said)
		}
	}
	return nil
}
