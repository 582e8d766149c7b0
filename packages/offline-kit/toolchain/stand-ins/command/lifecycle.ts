import { randomBytes } from "node:crypto";
import { findChanges } from "../plugin/diff";
import type { Operation, ResourceType } from "../plugin/provider";
import type { Value, ValueMap } from "../plugin/values";
import { reveal, sameValue, text, Unknown } from "../plugin/values";
import { runLocally } from "./local";
import { conform, fields } from "./shapes";

export interface Captured {
  readonly stdout: string;
  readonly stderr: string;
}

/** A command about to run, with all secrets revealed. */
export interface Job {
  readonly command: string;
  readonly inputs: ValueMap;
  /** What the previous run printed; empty on the first. */
  readonly previous: Captured;
}

const NOTHING: Captured = { stdout: "", stderr: "" };

function captured(state: ValueMap): Captured {
  return { stdout: text(state["stdout"]) ?? "", stderr: text(state["stderr"]) ?? "" };
}

function revealed(map: ValueMap): ValueMap {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, reveal(value)]));
}

async function runIfSet(
  command: Value | undefined,
  inputs: ValueMap,
  previous: Captured,
  operation: Operation,
): Promise<Captured> {
  const line = text(command);
  return line === undefined ? previous : runLocally({ command: line, inputs: revealed(inputs), previous }, operation);
}

/** The life of a local command: what runs when, and what the state then holds. */
export const commandType: ResourceType = {
  check: conform,

  diff: (oldInputs, inputs) => {
    const changes = findChanges(oldInputs, inputs);
    // A changed element has a longer path; the SDK's own replaceOnChanges option turns that into a replacement.
    return { changes, replaces: new Set([...changes.keys()].filter((path) => path === "triggers")) };
  },

  preview: (inputs, state) => {
    const changed = (name: string): boolean => {
      const before = state?.[name];
      return before !== undefined && !sameValue(before, inputs[name]);
    };
    const settled = state !== undefined && !Object.keys(fields).some(changed);
    return settled ? { ...inputs, ...captured(state) } : { ...inputs, stdout: new Unknown(), stderr: new Unknown() };
  },

  create: async (name, inputs, operation) => {
    const output = await runIfSet(inputs["create"], inputs, NOTHING, operation);
    return { id: name + randomBytes(4).toString("hex"), outputs: { ...inputs, ...output } };
  },

  update: async (state, inputs, operation) => {
    const command = inputs["update"] ?? inputs["create"];
    return { ...inputs, ...(await runIfSet(command, inputs, captured(state), operation)) };
  },

  delete: async (state, operation) => {
    await runIfSet(state["delete"], state, captured(state), operation);
  },
};
