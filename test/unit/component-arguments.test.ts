import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { projectRoot } from "../support/project-root";

/** What a component is given: its arguments, and the settings that they are made of. */
const given = /(Args|Settings|Target|Request|Context)$/;

const files = readdirSync(join(projectRoot, "components"), { recursive: true, encoding: "utf8" }).filter((file) =>
  file.endsWith(".ts"),
);

/** Members of such interfaces: `FILE INTERFACE.MEMBER`, and whether a comment says what it is. */
function members(file: string): (readonly [string, boolean])[] {
  const text = readFileSync(join(projectRoot, "components", file), "utf8");
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  return source.statements.filter(ts.isInterfaceDeclaration).flatMap((one) =>
    given.test(one.name.text)
      ? one.members.map((member) => {
          const name = `${file} ${one.name.text}.${member.name?.getText(source) ?? ""}`;
          return [name, ts.getJSDocCommentsAndTags(member).length > 0] as const;
        })
      : [],
  );
}

test("each argument of a component has a comment that says what it is", () => {
  const all = files.flatMap(members);
  expect(all.length).toBeGreaterThan(120);
  expect(all.filter(([, has]) => !has).map(([name]) => name)).toEqual([]);
});
