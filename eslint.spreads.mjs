/** Spreads of a literal into another one: they only keep a formatter from writing out what they hold. */
export const literalSpreads = [
  "ArrayExpression > SpreadElement > ArrayExpression",
  ":matches(CallExpression, NewExpression) > SpreadElement > ArrayExpression",
  "ObjectExpression > SpreadElement > ObjectExpression",
].map((selector) => ({ selector, message: "Write out what this literal holds." }));
