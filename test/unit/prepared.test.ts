import { join } from "node:path";
import { runInThisContext } from "node:vm";
import { prepare } from "../../components/stack/prepare";
import { configurations } from "../support/configurations";
import { type ProgramRun, runProgram, withModulesOfItsOwn } from "../support/program";
import { projectRoot } from "../support/project-root";

/** Counts what is found in it. */
class Counted<Value> extends Map<string, Value> {
  found = 0;
  override get(key: string): Value | undefined {
    const value = super.get(key);
    if (value !== undefined) this.found++;
    return value;
  }
}

const inputs = ({ resources }: ProgramRun) => resources.map(({ urn, inputs: values }) => [urn, values]);

it("a bundle sends to each host what a run without a bundle sends", async () => {
  const [, settings] = configurations[1] ?? [];
  const { templates, parts } = await prepare(join(projectRoot, "stack-templates"));
  const compiled = new Counted(templates.map(([key, code]) => [key, runInThisContext(`(${code})`) as object]));
  const compressed = new Counted(parts);
  const plain = await runProgram(settings);
  jest.doMock("../../components/stack/prepared", () => ({ templates: compiled, parts: compressed }));
  const bundled = await withModulesOfItsOwn(() => runProgram(settings));
  jest.dontMock("../../components/stack/prepared");
  expect(inputs(bundled)).toEqual(inputs(plain));
  expect([compiled.found > 20, compressed.found > 100]).toEqual([true, true]);
});
