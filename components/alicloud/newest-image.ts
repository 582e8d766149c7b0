/**
 * Run by `node bin/cloudcode-hook.cjs newest-image` once, when a host without an image of its own is made: the
 * region and its processor on standard input, the id of its newest Ubuntu 24.04 on standard output.
 */
import { z } from "zod";
import { machineOf } from "./hooks/adopted";
import { cloudApi } from "./api/api";
import { newestUbuntu } from "./hooks/placement";
import { runScript } from "./hooks/script";

const imagesSchema = z.object({
  Images: z.object({
    Image: z.array(z.object({ ImageId: z.string(), ImageName: z.string(), CreationTime: z.string() })),
  }),
});

const inputSchema = z.object({
  region: z.string().min(1),
  adopted: z.string().min(1).optional(),
  architecture: z.enum(["x86_64", "arm64"]).default("x86_64"),
});

void runScript(inputSchema, async ({ region, adopted, architecture }) => {
  // The image of an adopted machine may be offered no longer.
  if (adopted !== undefined) return (await machineOf(cloudApi(region), adopted)).imageId;
  const query = { Status: "Available", ImageOwnerAlias: "system", OSType: "linux", Architecture: architecture };
  const images = await cloudApi(region).list("ecs", "DescribeImages", query, (page) =>
    imagesSchema.parse(page).Images.Image.map((image) => ({
      id: image.ImageId,
      name: image.ImageName,
      createdAt: image.CreationTime,
    })),
  );
  return newestUbuntu(images, region, architecture);
});
