const escaped = (value: string): string =>
  value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** An element as text; what is in `inner` is written as it is, fields are escaped. */
export function element(name: string, fields: Readonly<Record<string, string>>, inner = ""): string {
  const own = Object.entries(fields).map(([field, value]) => `<${field}>${escaped(value)}</${field}>`);
  return `<${name}>${own.join("")}${inner}</${name}>`;
}

/** The texts of all elements of this name; of elements without others inside them. */
export const textsOf = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"))].map(([, text = ""]) =>
    text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&"),
  );
