// Stand-in for Authelia 4.39.20: the address a request was really for, out of X-Forwarded-*. Pure.
import { posix } from "node:path";
import type { Target } from "./authorizer";

/** Undefined where Go's url.ParseRequestURI would fail. */
export function parseTarget(url: string, method: string): Target | undefined {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^?]*)(?:\?(.*))?$/is.exec(url);
  // eslint-disable-next-line no-control-regex -- Go refuses control characters in an address
  if (!match || /[\u0000-\u001f\u007f]/.test(url)) return undefined;
  const [, scheme = "", authority = "", rawPath = "", rawQuery = ""] = match;
  const host = /^(?:[^@]*@)?(\[[0-9a-fA-F:.]+\]|[^:[\]]*)(?::\d*)?$/.exec(authority)?.[1];
  if (host === undefined || /[\s<>"\\^`{|}%]/.test(host)) return undefined;
  let path: string;
  try {
    path = decodeURIComponent(rawPath);
  } catch {
    return undefined;
  }
  return {
    url: `${scheme.toLowerCase()}://${authority}${writtenPath(rawPath, path)}${rawQuery === "" ? "" : `?${rawQuery}`}`,
    scheme: scheme.toLowerCase(),
    hostname: host.replace(/^\[|\]$/g, ""),
    path: cleanPath(path) + (rawQuery === "" ? "" : `?${rawQuery}`),
    method,
  };
}

/** As Go writes an address back: the path as it came when it is well escaped, escaped again otherwise. */
function writtenPath(raw: string, path: string): string {
  if (/^[A-Za-z0-9\-_.~!$&'()*+,;=:@/[\]%]*$/.test(raw)) return raw;
  return encodeURIComponent(path)
    .replace(/%(?:2F|24|26|2B|2C|3A|3B|3D|40)/g, (escaped) => decodeURIComponent(escaped))
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function cleanPath(path: string): string {
  const clean = path === "" ? "." : posix.normalize(path);
  const trimmed = clean.length > 1 ? clean.replace(/\/$/, "") : clean;
  return path.length > 1 && path.endsWith("/") && trimmed !== "/" ? `${trimmed}/` : trimmed;
}
