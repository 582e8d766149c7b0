/** URN of a component's child, which stands in its own input and so must be known before it exists. */
export function childUrn(parent: string, type: string, name: string): string {
  const end = parent.lastIndexOf("::");
  return `${parent.slice(0, end)}$${type}::${name}`;
}
