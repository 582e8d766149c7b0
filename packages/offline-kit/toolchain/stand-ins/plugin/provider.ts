import type { Changes } from "./diff";
import type { ValueMap } from "./values";

/** What an operation may use in addition to its properties. */
export interface Operation {
  /** Aborts on Ctrl-C, and when the operation's custom timeout is over. */
  readonly cancelled: AbortSignal;
  /** A message that is shown while the resource is being worked on. */
  status(message: string): void;
}

export interface CheckFailure {
  /** Empty where the real plugin names the property in its words alone. */
  readonly property: string;
  readonly reason: string;
}

export interface Checked {
  readonly inputs: ValueMap;
  readonly failures: readonly CheckFailure[];
}

export interface Difference {
  readonly changes: Changes;
  /** Paths whose change asks for a new resource. */
  readonly replaces: ReadonlySet<string>;
  /** Whether the engine gets the kind of each change. @default true */
  readonly detailed?: boolean;
}

export interface Created {
  readonly id: string;
  readonly outputs: ValueMap;
}

/** One resource type of a stand-in, in terms of plain property maps. */
export interface ResourceType {
  check(inputs: ValueMap, name: string): Checked;
  diff(oldInputs: ValueMap, inputs: ValueMap): Difference;
  preview(inputs: ValueMap, state: ValueMap | undefined): ValueMap;
  create(name: string, inputs: ValueMap, operation: Operation): Promise<Created>;
  update(state: ValueMap, inputs: ValueMap, operation: Operation): Promise<ValueMap>;
  delete(state: ValueMap, operation: Operation): Promise<void>;
}

export interface Provider {
  readonly version: string;
  readonly types: Readonly<Record<string, ResourceType>>;
  /** What the real provider adds to the inputs of its provider resource in state. */
  readonly providerInputs: ValueMap;
}
