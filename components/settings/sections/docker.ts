import { z } from "zod";
import { type ImageName, type SourceName, imageNames, sourceNames } from "../../images";
import * as check from "../checks";
import { choice, list, object, text, integer } from "../setting";

const imageOverrides: z.ZodType<Partial<Record<ImageName, string>>> = z.partialRecord(
  z.enum(imageNames),
  check.imageReference,
  {
    error: ({ code }) =>
      code === "invalid_type" ? "is not an object" : `holds a name that is not one of ${imageNames.join(", ")}`,
  },
);

const sourceOverrides: z.ZodType<Partial<Record<SourceName, string>>> = z.partialRecord(
  z.enum(sourceNames),
  check.sourceReference,
  {
    error: ({ code }) =>
      code === "invalid_type" ? "is not an object" : `holds a name that is not one of ${sourceNames.join(", ")}`,
  },
);

/** Docker and the machine below it. */
export const dockerSettings = {
  dockerPackages: choice(["docker-ce", "distribution"], "is neither docker-ce nor distribution", {
    description: "Where Docker comes from: docker-ce (Docker's repository) or distribution (the host's own packages).",
    example: "docker-ce",
    default: "docker-ce",
  }),
  dockerAptRepository: text(check.httpsBase, {
    description:
      "Docker's package repository or a mirror of it. Default: https://download.docker.com/linux, with network mainland the mirror dockerApt.",
    example: "https://mirrors.aliyun.com/docker-ce/linux",
  }),
  registryMirrors: list(check.webBase, {
    description:
      "Mirrors of Docker Hub that the host pulls from; with network mainland the mirror dockerHub if there are none.",
    example: "'[\"https://mirror.example.com\"]'",
    default: [],
  }),
  imageRegistry: text(check.registryPrefix, {
    description: "Private registry with all images, used in place of docker.io.",
    example: "registry.example.com/mirror",
  }),
  images: object(imageOverrides, {
    description: `Image references that replace the pinned ones, by name: ${imageNames.join(", ")}.`,
    example: "--path 'images.caddy' docker.io/library/caddy:2.11.7-alpine",
    default: {},
  }),
  sources: object(sourceOverrides, {
    description: `Git commits that replace the pinned ones which images are built from, by name: ${sourceNames.join(", ")}. An address that ends in .bundle is a Git bundle with the commit, which any web server can hold.`,
    example: "--path 'sources.tgSigner' 'https://git.example.com/tg-signer#0123456789abcdef0123456789abcdef01234567'",
    default: {},
  }),
  dockerDns: list(check.serverAddress, {
    description: "DNS servers of the containers. Default: the host's.",
    example: '\'["1.1.1.1","8.8.8.8"]\'',
    default: [],
  }),
  dockerAddressPool: text(check.cidr, {
    description: "Network from which Docker takes the networks of the Apps (a /24 each).",
    example: "10.201.0.0/16",
    default: "10.201.0.0/16",
  }),
  swapMiB: integer(0, 65536, {
    description: "Size of the swap file, in MiB, if the host has no swap; 0 for none.",
    example: "2048",
    default: 2048,
  }),
  ntpServer: text(check.address, {
    description: "Time server of the host. Default: the distribution's.",
    example: "ntp.aliyun.com",
  }),
};
