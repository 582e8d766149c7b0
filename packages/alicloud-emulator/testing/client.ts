// Signed calls to an emulator, as a test's own hand in the cloud.
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { timestamp } from "../src/clock";
import { emulatorKey } from "../src/emulator";
import { products } from "../src/products";
import { signatureV1 } from "../src/signature";

/** What was answered. */
export interface Answered {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const versionOf = (product: string): string =>
  Object.entries(products).find(([, one]) => one.name === product)?.[0] ?? product;

/** The signed query of a call; `changes` go in before it is signed. */
export function signedQuery(
  product: string,
  action: string,
  parameters: Readonly<Record<string, string>>,
  { key = emulatorKey, ...changes }: { key?: { id: string; secret: string }; Timestamp?: string } = {},
): URLSearchParams {
  const values = new Map(
    Object.entries({
      Action: action,
      Version: versionOf(product),
      Format: "JSON",
      AccessKeyId: key.id,
      SignatureMethod: "HMAC-SHA1",
      SignatureVersion: "1.0",
      SignatureNonce: randomUUID(),
      Timestamp: timestamp(),
      ...changes,
      ...parameters,
    }),
  );
  return new URLSearchParams([...values, ["Signature", signatureV1("POST", values, key.secret)]]);
}

/** Sends a query as it is, as a form: it can be long. */
export async function send(port: number, query: URLSearchParams): Promise<Answered> {
  const answer = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: query });
  return { status: answer.status, body: z.record(z.string(), z.unknown()).parse(await answer.json()) };
}

/** Calls `product` (`ecs`, `vpc`, `alidns`, `sts`) in Singapore. */
export const call = (
  port: number,
  product: string,
  action: string,
  parameters: Readonly<Record<string, string>> = {},
): Promise<Answered> => send(port, signedQuery(product, action, { RegionId: "ap-southeast-1", ...parameters }));
