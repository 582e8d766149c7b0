import { createHash } from "node:crypto";
import Handlebars from "handlebars";
import { caddyToken, curlQuoted, composeScalar, envValue, shellWord, yamlScalar } from "./escape";
import { templates as prepared } from "./prepared";

/** What a template may see: plain data, no functions. */
export interface TemplateValues {
  readonly [key: string]: TemplateValue;
}
export type TemplateValue = string | number | boolean | undefined | readonly TemplateValue[] | TemplateValues;

/** Helpers of one rendering, such as `mount` in a compose file. */
export type TemplateHelpers = Readonly<Record<string, (argument: string, second?: string) => string>>;

const isolated = Handlebars.create();
const insertions: Readonly<Record<string, Handlebars.HelperDelegate>> = {
  yaml: yamlScalar,
  compose: composeScalar,
  env: envValue,
  caddy: caddyToken,
  curl: curlQuoted,
  sh: shellWord,
  html: (value: string) => Handlebars.escapeExpression(value),
  // The whole content of a file that is one value.
  text: (value: string) => value,
  json: (value: unknown) => JSON.stringify(value),
  int: (value: unknown) => {
    if (!Number.isInteger(value)) throw new Error(`not an integer: ${JSON.stringify(value)}`);
    return String(value);
  },
};
for (const [name, insert] of Object.entries(insertions)) {
  isolated.registerHelper(name, (value?: unknown): unknown => {
    // Handlebars' strict mode does not look at what a helper is given.
    if (value === undefined) throw new Error(`the value of a {{${name} …}} is missing`);
    return insert(value);
  });
}

/**
 * Renders one template. Values reach the text only through an escaping helper ({{yaml x}}, {{compose x}}, {{env x}},
 * {{caddy x}}, {{curl x}}, {{sh x}}, {{json x}}, {{int x}}, {{html x}}, {{text x}}): a bare {{x}} is refused, since Handlebars would either HTML-escape it or
 * paste it raw (handlebars-lang/handlebars.js#121).
 *
 * @param partials sources of what the template includes as `{{> name}}`, by name
 * @throws Error when the template names a value that is missing, or inserts one without a helper
 */
export function renderTemplate(
  source: string,
  values: TemplateValues,
  helpers: TemplateHelpers = {},
  partials: Readonly<Record<string, string>> = {},
): string {
  const included = Object.fromEntries(Object.entries(partials).map(([name, text]) => [name, compiled(text)]));
  return compiled(source)(values, { helpers, partials: included });
}

const options = { strict: true, noEscape: true };

/** By source: tests render one template for many values. */
const templates = new Map<string, Handlebars.TemplateDelegate<TemplateValues>>();

function compiled(source: string): Handlebars.TemplateDelegate<TemplateValues> {
  const known = templates.get(source);
  if (known !== undefined) return known;
  const specification = prepared.get(templateKey(source));
  const made =
    specification === undefined
      ? isolated.compile<TemplateValues>(parsed(source), options)
      : isolated.template<TemplateValues>(specification);
  templates.set(source, made);
  return made;
}

/** What a compiled template is found by. */
export function templateKey(source: string): string {
  return createHash("sha256").update(source).digest("hex");
}

/**
 * A compiled template: the text of a JavaScript expression.
 *
 * @throws Error when the template inserts a value without a helper
 */
export function precompile(source: string): string {
  // Its types say that it gives what `template` takes.
  const code: unknown = isolated.precompile(parsed(source), options);
  if (typeof code !== "string") throw new TypeError("Handlebars gives no text");
  return code;
}

function parsed(source: string): hbs.AST.Program {
  const tree = isolated.parse(source);
  refuseRawInsertions(tree.body);
  return tree;
}

function refuseRawInsertions(statements: readonly hbs.AST.Statement[]): void {
  for (const statement of statements) {
    if (isMustache(statement) && statement.params.length === 0) {
      throw new Error(`line ${statement.loc.start.line}: insert values through a helper, as in {{yaml x}}`);
    }
    if (isBlock(statement)) {
      refuseRawInsertions(statement.program.body);
      // Handlebars leaves `inverse` out where there is no {{else}}, which its types do not say.
      refuseRawInsertions((statement.inverse as hbs.AST.Program | undefined)?.body ?? []);
    }
  }
}

function isMustache(statement: hbs.AST.Statement): statement is hbs.AST.MustacheStatement {
  return statement.type === "MustacheStatement";
}

function isBlock(statement: hbs.AST.Statement): statement is hbs.AST.BlockStatement {
  return statement.type === "BlockStatement";
}
