// Stand-in for Authelia 4.39.20: challenges, user handles and signatures shared by passkey sign-in and second factor.
import { randomBytes } from "node:crypto";
import type { AuthenticationResponseJSON } from "@simplewebauthn/server";
import type { UserSession } from "../state/sessions";
import type { CredentialRecord } from "../state/store";
import type { Call } from "./call";
import { originOf } from "./exchange";

export function newChallenge({ gateway, session }: Call, description: string): string {
  const value = randomBytes(32).toString("base64url");
  session.user.challenge = { value, description, expires: gateway.now() + gateway.config.webauthn.timeout };
  return value;
}

/** A challenge is good for one answer. */
export function takeChallenge({ gateway, session }: Call): UserSession["challenge"] {
  const { challenge } = session.user;
  session.user.challenge = undefined;
  return challenge && challenge.expires > gateway.now() ? challenge : undefined;
}

export function ownCredentials({ gateway, session, exchange }: Call): CredentialRecord[] {
  const { hostname } = originOf(exchange);
  return gateway.store
    .read()
    .credentials.filter((one) => one.username === session.user.username && one.rpId === hostname);
}

export function descriptors(credentials: readonly CredentialRecord[]): readonly Readonly<Record<string, unknown>>[] {
  return credentials.map((one) => ({ type: "public-key", id: one.kid, transports: one.transports }));
}

/** The opaque name the authenticator keeps for the user, base64url. */
export function userHandle({ gateway, session, exchange }: Call): string {
  const { hostname: rpId } = originOf(exchange);
  const { username } = session.user;
  const key = `${rpId}\n${username}`;
  const known = gateway.store.read().webauthnUsers[key];
  if (known) return known.userId;
  const userId = randomBytes(48).toString("base64url");
  gateway.store.update((state) => {
    state.webauthnUsers[key] = { rpId, username, userId };
  });
  return userId;
}

export function challengeFor(
  { gateway, exchange }: Call,
  challenge: string,
  allowCredentials: ReturnType<typeof descriptors>,
): Readonly<Record<string, unknown>> {
  const { timeout, userVerification } = gateway.config.webauthn;
  return {
    publicKey: {
      challenge,
      timeout,
      rpId: originOf(exchange).hostname,
      ...(allowCredentials.length === 0 ? {} : { allowCredentials }),
      ...(userVerification === "" ? {} : { userVerification }),
    },
  };
}

/** Has the fields an authenticator's answer must have; whether they are true is another question. */
export function isAssertion(value: unknown): value is AuthenticationResponseJSON {
  if (typeof value !== "object" || value === null || !("id" in value) || !("response" in value)) return false;
  const { response } = value;
  const fields = ["clientDataJSON", "authenticatorData", "signature"];
  return typeof response === "object" && response !== null && fields.every((field) => field in response);
}

export async function verifyAssertion(
  { gateway, exchange }: Call,
  raw: unknown,
  challenge: string,
  candidates: readonly CredentialRecord[],
): Promise<{ readonly record: CredentialRecord; readonly userVerified: boolean } | undefined> {
  const record = isAssertion(raw) ? candidates.find((one) => one.kid === raw.id) : undefined;
  if (!record || !isAssertion(raw)) return undefined;
  const { proto, host, hostname } = originOf(exchange);
  try {
    const { verifyAuthenticationResponse } = await import("@simplewebauthn/server");
    const { verified, authenticationInfo: info } = await verifyAuthenticationResponse({
      response: raw,
      expectedChallenge: challenge,
      expectedOrigin: `${proto}://${host}`,
      expectedRPID: hostname,
      requireUserVerification: gateway.config.webauthn.userVerification === "required",
      credential: {
        id: record.kid,
        publicKey: new Uint8Array(Buffer.from(record.publicKey, "base64url")),
        counter: record.counter,
      },
    });
    if (!verified) return undefined;
    const lastUsedAt = new Date(gateway.now()).toISOString();
    gateway.store.update((state) => {
      state.credentials = state.credentials.map((one) =>
        one.id === record.id
          ? { ...one, counter: info.newCounter, backupState: info.credentialBackedUp, lastUsedAt }
          : one,
      );
    });
    return { record, userVerified: info.userVerified };
  } catch (error) {
    gateway.log(
      "error",
      `Error occurred validating a WebAuthn assertion: ${error instanceof Error ? error.message : String(error)}`,
    );
    return undefined;
  }
}
