import { homedir } from "node:os";
import { join } from "node:path";

/** Where downloads and builds are kept between runs, outside the checkout; deleting it only costs time. */
export const cacheDir =
  process.env["CLOUDCODE_CACHE"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "cloudcode");
