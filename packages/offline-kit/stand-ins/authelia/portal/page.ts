// Stand-in for Authelia 4.39.20: the one HTML page of the portal; its script is bundled in by bundle.ts.
import { randomBytes } from "node:crypto";

declare const PORTAL_SCRIPT: string;

const style = `
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{margin:0 auto;padding:1.5rem;max-width:26rem}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}
form,section{display:flex;flex-direction:column;gap:.9rem}
label{display:flex;flex-direction:column;gap:.2rem}label.line{flex-direction:row;align-items:center;gap:.5rem}
input:not([type=checkbox]){font:inherit;padding:.7rem;border:1px solid #888;border-radius:.4rem;min-width:0}
button{font:inherit;padding:.8rem;border:0;border-radius:.4rem;background:#1976d2;color:#fff;cursor:pointer}
button.quiet{background:none;color:inherit;border:1px solid #888}button:disabled{opacity:.5}
dialog{border:1px solid #888;border-radius:.6rem;max-width:22rem}#notification{min-height:1.5rem;color:#c62828}
svg{width:100%;height:auto;background:#fff}code{overflow-wrap:anywhere}li{margin:.4rem 0}`;

export function portalPage(): Response {
  const nonce = randomBytes(16).toString("base64");
  const script =
    typeof PORTAL_SCRIPT === "string" ? PORTAL_SCRIPT : "document.body.textContent = 'run the bundle for the portal'";
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": `default-src 'self'; frame-src 'none'; object-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; frame-ancestors 'none'; base-uri 'self'`,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
  };
  const body = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Login - Authelia (stand-in)</title>
<style nonce="${nonce}">${style}</style>
</head>
<body>
<main id="root"></main>
<p id="notification" role="status"></p>
<script nonce="${nonce}">${script.replaceAll("</script", "<\\/script")}</script>
</body>
</html>
`;
  return new Response(body, { headers });
}
