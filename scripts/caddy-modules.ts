/** Run by the workflow audit: prints the words by which xcaddy builds Caddy with the modules of all DNS providers at once. */
import { defaultImages, exactVersion } from "../components/images";
import { dnsModule, dnsProviders } from "../components/reverse-proxy/acme-dns";

const modules = dnsProviders.flatMap((provider) => ["--with", dnsModule(provider)?.module ?? provider]);
console.log(["build", `v${exactVersion(defaultImages.caddy) ?? ""}`, ...modules].join(" "));
