// A bundle has other contents of this file, made by bin/prepared.cjs. What is missing here is made when a run needs it.

/** Compiled templates, by `templateKey` of their source. */
export const templates: ReadonlyMap<string, TemplateSpecification> = new Map();

/** Compressed parts of payloads in base64, by `partKey` of the part. */
export const parts: ReadonlyMap<string, string> = new Map();
