import { invalid, notFound } from "./errors";
import type { Answer, Call, Json } from "./call";
import type { Parameters } from "./parameters";

/** Tags as ECS writes them. */
export const ecsTags = (tags: Readonly<Record<string, string>>): Answer => ({
  Tag: Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
});

/** Tags as VPC writes them. */
export const vpcTags = (tags: Readonly<Record<string, string>>): Answer => ({
  Tag: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
});

/** Whether a resource has every tag asked for; a key without a value takes any value. */
export const hasTags = (
  resource: { readonly tags: Readonly<Record<string, string>> },
  parameters: Parameters,
): boolean =>
  parameters.objects("Tag").every((tag) => {
    const value = resource.tags[tag.text("Key")];
    return value !== undefined && (tag.optional("Value") === undefined || tag.text("Value") === value);
  });

/** One page of `entries` as the list field of an answer, such as `Vpcs: {Vpc: [...]}`. */
export function paged<T>(
  { parameters }: Call,
  entries: readonly T[],
  list: readonly [string, string],
  show: (entry: T) => Json,
  size = 10,
): Answer {
  const PageNumber = parameters.number("PageNumber", 1);
  const PageSize = parameters.number("PageSize", size);
  if (PageNumber < 1) throw invalid("InvalidParameter", "PageNumber");
  if (PageSize < 1 || PageSize > 100) throw invalid("InvalidParameter", "PageSize", "must be 1 to 100");
  const shown = entries.slice((PageNumber - 1) * PageSize, PageNumber * PageSize).map(show);
  return { TotalCount: entries.length, PageNumber, PageSize, [list[0]]: { [list[1]]: shown } };
}

/** The resource with this id, or the 404 `code`. */
export function find<T>(map: ReadonlyMap<string, T>, id: string, code: string): T {
  const found = map.get(id);
  if (found === undefined) throw notFound(code, id);
  return found;
}

/** Whether a filter parameter is absent or has this value. */
export const matches = (parameters: Parameters, key: string, value: string): boolean =>
  parameters.text(key, value) === value;
