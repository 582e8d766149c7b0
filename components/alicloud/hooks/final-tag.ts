/** Tells a snapshot that `pulumi destroy` was to leave from one that was left over. */
export const finalTag = { key: "cloudcode-final", value: "true" } as const;
