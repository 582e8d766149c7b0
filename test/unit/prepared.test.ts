import { parts, templates } from "../../components/stack/prepared";
import { configurations } from "../support/configurations";
import { type ProgramRun, runProgram, withModulesOfItsOwn } from "../support/program";

const inputs = ({ resources }: ProgramRun) => resources.map(({ urn, inputs: values }) => [urn, values]);

/** A run that finds these things prepared, and no others. */
async function runWith(prepared: Readonly<Record<"parts" | "templates", ReadonlyMap<string, unknown>>>) {
  const [, settings] = configurations[1] ?? [];
  jest.doMock("../../components/stack/prepared", () => prepared);
  const run = await withModulesOfItsOwn(() => runProgram(settings));
  jest.dontMock("../../components/stack/prepared");
  return inputs(run);
}

it("a bundle sends to each host what a run without a bundle sends", async () => {
  // As Jest's configuration has it, from bin/prepared.cjs.
  const used = { templates: jest.spyOn(templates, "get"), parts: jest.spyOn(parts, "get") };
  const bundled = await runWith({ templates, parts });
  const found = ({ mock }: { readonly mock: { readonly results: readonly { readonly value: unknown }[] } }) =>
    mock.results.filter(({ value }) => value !== undefined).length;
  expect([found(used.templates) > 20, found(used.parts) > 100]).toEqual([true, true]);
  expect(bundled).toEqual(await runWith({ templates: new Map(), parts: new Map() }));
});
