import { readFileSync } from "node:fs";
import ts from "typescript";

/** The string literals of a TypeScript file that are words for a reader: three words or more. Of a template, its parts are joined by `…`. */
export function sentencesOf(file: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) found.push(node.text);
    if (ts.isTemplateExpression(node))
      found.push([node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join("…"));
    ts.forEachChild(node, visit);
  };
  const options = { languageVersion: ts.ScriptTarget.Latest, jsDocParsingMode: ts.JSDocParsingMode.ParseNone };
  visit(ts.createSourceFile(file, readFileSync(file, "utf8"), options));
  return found.filter((text) => (text.match(/[a-z]{2,}/gi) ?? []).length >= 3);
}
