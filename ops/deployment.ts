import { z } from "zod";

/** What `pulumi stack export` prints, as far as resources of this shape tell. */
export function deploymentOf<T>(resource: z.ZodType<T>) {
  return z.object({ deployment: z.object({ resources: z.array(resource).default([]) }) });
}
