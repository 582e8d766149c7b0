import { tagOf } from "../images";

/** Tags that name another image from one day to the next. */
const moving = ["latest", "stable", "edge", "main", "master", "nightly", "dev", "beta", "release"];

/**
 * @param image reference, as Docker writes one
 * @returns a fault that completes the sentence "KEY …", or undefined
 */
export function imageFault(image: string): string | undefined {
  if (!/^[a-z0-9][\w.-]*(:\d+)?(\/[\w.-]+)*(:[\w.-]+)?(@sha256:[0-9a-f]{64})?$/.test(image))
    return "is not the name of an image";
  if (image.includes("@sha256:")) return undefined;
  const tag = tagOf(image);
  if (tag !== undefined && !moving.includes(tag)) return undefined;
  return `names ${tag === undefined ? "no version" : tag}, so an update and a rollback would run the same image: write a version, such as ${image.replace(/:[\w.-]+$/, "")}:1.2.3, or a digest`;
}
