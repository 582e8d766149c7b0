/** Processors as Alibaba Cloud names them for its images. */
export type Architecture = "x86_64" | "arm64";

/**
 * The processor of an instance type, by its family: the suffix y is Yitian 710, c6r and g6r are Ampere Altra; all others are x86-64.
 * https://www.alibabacloud.com/help/en/ecs/user-guide/overview-of-instance-families
 */
export function architectureOf(instanceType: string): Architecture {
  return /^ecs\.((ebm)?[cgr]\d+y|[cg]6r)\./.test(instanceType) ? "arm64" : "x86_64";
}
