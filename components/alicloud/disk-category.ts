/**
 * The cheapest performance level of a category that has levels
 * (https://www.alibabacloud.com/help/en/ecs/user-guide/essds#section-performance-levels).
 */
export function performanceLevel(category: string): "PL0" | undefined {
  return category === "cloud_essd" ? "PL0" : undefined;
}
