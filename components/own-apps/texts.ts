import { composeText } from "../stack/escape";
import type { TemplateValue } from "../stack/template";
import { type Part, type Variables, interpolate, plainText } from "./interpolate";

/** What the variables of a service's texts stand for, and who hears of faults. */
export interface Texts {
  readonly variables: Variables;
  /** Takes a fault of a key below the service. */
  readonly report: (key: string, fault: string) => void;
}

/** The pieces of a text. */
export function partsOf(key: string, value: string, { variables, report }: Texts): Part[] {
  try {
    return interpolate(value, variables);
  } catch (error) {
    report(key, (error as Error).message);
    return [];
  }
}

/** A text that may hold no secret. */
export function textOf(key: string, value: string, around: Texts): string {
  const plain = plainText(partsOf(key, value, around));
  if (plain === undefined)
    around.report(key, "holds a secret, which docker ps would show: only environment may hold one");
  return plain ?? "";
}

/** A value with the variables of its texts replaced. */
export function valueOf(key: string, value: unknown, around: Texts): TemplateValue {
  if (typeof value === "string") return composeText(textOf(key, value, around));
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map((one) => valueOf(key, one, around));
  if (typeof value !== "object" || value === null) return undefined;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(entries.map(([below, one]) => [below, valueOf(`${key}.${below}`, one, around)]));
}
