import { z } from "zod";
import { type MirrorOverrides, mirrorKinds } from "../../mirrors";
import * as check from "../checks";
import { choice, object } from "../setting";

const mirrors: z.ZodType<MirrorOverrides> = z.strictObject(
  {
    apt: check.httpMirror.optional(),
    dockerApt: check.httpsMirror.optional(),
    dockerHub: check.mirrorRegistry.optional(),
    ghcr: check.mirrorRegistry.optional(),
    npm: check.httpsMirror.optional(),
    pypi: check.httpsMirror.optional(),
    go: check.httpsMirror.optional(),
    k3s: check.httpsMirror.optional(),
  },
  {
    error: ({ code }) =>
      code === "invalid_type" ? "is not an object" : `holds a name that is not one of ${mirrorKinds.join(", ")}`,
  },
);

/** From where the host and its image builds download. */
export const networkSettings = {
  network: choice(["world", "mainland"], "is neither world nor mainland", {
    description:
      "From where the host and its image builds download: world (where each thing is published) or mainland (mirrors that serve mainland China; what cannot work there is refused).",
    example: "mainland",
    default: "world",
  }),
  mirrors: object(mirrors, {
    description: `Mirrors that replace the default ones of network mainland, by name: ${mirrorKinds.join(", ")}. npm run ops -- doctor --host times them.`,
    example: "--path 'mirrors.npm' https://registry.npmmirror.com",
    default: {},
  }),
};
