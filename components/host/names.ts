/** The free name that answers with the address in it (https://sslip.io). */
export function sslipName(address: string): string {
  return `${address.replaceAll(".", "-")}.sslip.io`;
}

/** What the operator tells their DNS. */
export function pointNames(domain: string, address: string): string {
  const byItself = domain === sslipName(address) ? " (sslip.io does that by itself)" : "";
  return `DNS: ${domain} and *.${domain} must point to ${address}${byItself}.`;
}
