// A stand-in for Cloudflare's Rules language, as far as this program's rules use it; everything else is refused
// (https://developers.cloudflare.com/ruleset-engine/rules-language/).

/** A visitor's request, as a rule sees it. */
export interface VisitorRequest {
  /** Header Host. */
  readonly host: string;
  readonly path: string;
  /** @default of a browser */
  readonly userAgent?: string;
  /** Whether Cloudflare knows the visitor as a crawler. @default false */
  readonly crawler?: boolean;
}

type Value = string | boolean;
type Term = (request: VisitorRequest) => Value;

export interface Expression {
  readonly matches: (request: VisitorRequest) => boolean;
  /** Fields that it reads. */
  readonly fields: ReadonlySet<string>;
}

const fields: Readonly<Record<string, Term>> = {
  "http.host": ({ host }) => host,
  "http.request.uri.path": ({ path }) => path,
  "http.user_agent": ({ userAgent = "Mozilla/5.0" }) => userAgent,
  "cf.client.bot": ({ crawler = false }) => crawler,
};

const functions: Readonly<Record<string, (...values: readonly string[]) => Value>> = {
  lower: (text = "", ...rest) => exactly(text.toLowerCase(), rest),
  starts_with: (text = "", start = "", ...rest) => exactly(text.startsWith(start), rest),
  ends_with: (text = "", end = "", ...rest) => exactly(text.endsWith(end), rest),
};

function exactly(value: Value, rest: readonly string[]): Value {
  if (rest.length > 0) throw new Error("too many arguments");
  return value;
}

const lexer = /\s*(?:("(?:[^"\\]|\\.)*")|([a-z_][a-z0-9_.]*)|([(),]))/gy;

/** @throws Error for what is not of the language */
export function parseExpression(text: string): Expression {
  if (text.length > 4096) throw new Error("expression is longer than 4,096 characters");
  const tokens = [...text.trim().matchAll(lexer)].map(([all]) => all.trim());
  if (tokens.join("").length !== text.replaceAll(/\s+(?=(?:[^"]*"[^"]*")*[^"]*$)/g, "").length)
    throw new Error("Filter parsing error");
  const read = new Set<string>();
  let at = 0;
  const take = (wanted?: string): string => {
    const token = tokens[at++] ?? "";
    if (token === "" || (wanted !== undefined && token !== wanted)) throw new Error(`expected ${wanted ?? "more"}`);
    return token;
  };
  const texts = (term: Term) => (request: VisitorRequest) => {
    const value = term(request);
    if (typeof value !== "string") throw new Error("is not a text");
    return value;
  };

  const primary = (): Term => {
    const token = take();
    if (token === "(") {
      const inner = either();
      take(")");
      return inner;
    }
    if (token === "not") {
      const inner = primary();
      return (request) => inner(request) !== true;
    }
    if (token.startsWith('"')) {
      const literal = JSON.parse(token) as string;
      return () => literal;
    }
    const field = Object.hasOwn(fields, token) ? fields[token] : undefined;
    if (field) {
      read.add(token);
      return field;
    }
    const call = Object.hasOwn(functions, token) ? functions[token] : undefined;
    if (!call) throw new Error(`unknown identifier ${token}`);
    take("(");
    const args = [texts(compared())];
    while (tokens[at] === ",") {
      take();
      args.push(texts(compared()));
    }
    take(")");
    return (request) => call(...args.map((arg) => arg(request)));
  };
  const compared = (): Term => {
    const left = primary();
    const operator = tokens[at];
    if (operator !== "eq" && operator !== "contains") return left;
    take();
    const [first, second] = [texts(left), texts(primary())];
    return operator === "eq"
      ? (request) => first(request) === second(request)
      : (request) => first(request).includes(second(request));
  };
  const chain = (word: string, next: () => Term, join: (all: readonly boolean[]) => boolean) => (): Term => {
    const first = next();
    const rest: Term[] = [];
    while (tokens[at] === word) {
      take();
      rest.push(next());
    }
    return rest.length === 0 ? first : (request) => join([first, ...rest].map((term) => isTrue(term(request))));
  };
  const both = chain("and", compared, (all) => all.every(Boolean));
  const either: () => Term = chain("or", both, (all) => all.some(Boolean));

  const whole = either();
  if (at !== tokens.length) throw new Error(`did not expect ${tokens[at] ?? ""}`);
  // Types are checked at once, as Cloudflare does.
  isTrue(whole({ host: "", path: "" }));
  return { matches: (request) => isTrue(whole(request)), fields: read };
}

function isTrue(value: Value): boolean {
  if (typeof value !== "boolean") throw new Error("is not a condition");
  return value;
}
