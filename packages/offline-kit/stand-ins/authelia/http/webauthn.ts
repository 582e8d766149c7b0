// Stand-in for Authelia 4.39.20: registering, listing and using passkeys, as second factor and in place of name and password.
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import { randomBytes } from "node:crypto";
import { reasonOf } from "../log";
import { isBanned } from "../state/regulation";
import type { UserSession } from "../state/sessions";
import type { CredentialRecord } from "../state/store";
import type { Call, Handler } from "./call";
import { afterTwoFactors, bodyOf, level, messages, notifyEvent, ok, refused, text } from "./call";
import { asksToBeRemembered, signedInAs } from "./first-factor";

/** COSE names of what the authenticator may sign with: ES256, RS256, EdDSA and their longer kin. */
const algorithms = [-7, -35, -36, -257, -258, -259, -37, -38, -39, -8];
const timeout = 60_000;

export const registerStart: Handler = async (call) => {
  const { config, origin, session } = call.var;
  const description = text(await bodyOf(call), "description");
  if (description === "" || description.length > 64) return refused(400, messages.webauthnRegister);
  const own = ownCredentials(call);
  if (own.some((one) => one.description === description)) return refused(409, messages.webauthnDuplicate);
  const challenge = await newChallenge(call, description);
  const { username, displayName } = session.user;
  return ok({
    publicKey: {
      rp: { name: config.webauthn.display_name, id: origin.hostname },
      user: { name: username, displayName, id: userHandle(call) },
      challenge,
      pubKeyCredParams: algorithms.map((alg) => ({ type: "public-key", alg })),
      timeout,
      excludeCredentials: descriptors(own),
      authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
      attestation: "indirect",
      extensions: { credProps: true },
    },
  });
};

export const registerFinish: Handler = async (call) => {
  const { store } = call.var;
  const pending = await takeChallenge(call);
  const body = await bodyOf(call);
  if (!pending) return refused(403, messages.webauthnRegister);
  if (!body || !("id" in body) || !("response" in body)) return refused(400, messages.webauthnRegister);
  const record = await attest(call, body as unknown as RegistrationResponseJSON, pending);
  if (!record) return refused(403, messages.webauthnRegister);
  store.update((state) => {
    state.credentials.push({ ...record, id: state.nextId++ });
  });
  const event = `The passkey '${pending.description}' was added to your account.`;
  await notifyEvent(call, "Second Factor Method Added", event);
  return ok(undefined, 201);
};

export const list: Handler = (call) => {
  const own = ownCredentials(call).map(({ id, description, kid, rpId }) => ({ id, description, kid, rpid: rpId }));
  return ok(own.length === 0 ? null : own);
};

export const assertStart: Handler = async (call) => {
  const own = ownCredentials(call);
  if (own.length === 0) return refused(403, messages.secondFactor);
  return ok(await requestOf(call, own));
};

export const assertFinish: Handler = async (call) => {
  const { session } = call.var;
  const { body, response, pending } = await answered(call);
  if (!response) return refused(400, messages.secondFactor);
  if (!pending || !(await verified(call, response, pending.value, ownCredentials(call))))
    return refused(403, messages.secondFactor);
  await session.renew({ ...session.user, passkey: true, lastActivity: Date.now() });
  return afterTwoFactors(call, text(body, "targetURL"));
};

export const passkeyStart: Handler = async (call) =>
  level(call) > 0 ? refused(403, messages.secondFactor) : ok(await requestOf(call, []));

export const passkeyFinish: Handler = async (call) => {
  const { session, store, users, origin, ip, log } = call.var;
  const denied = refused(403, messages.secondFactor);
  if (level(call) > 0) return denied;
  const { body, response, pending } = await answered(call);
  if (!response) return refused(400, messages.secondFactor);
  const { webauthnUsers, credentials } = store.read();
  const owner = webauthnUsers.find(
    ({ rpId, userId }) => rpId === origin.hostname && userId === response.response.userHandle,
  );
  const own = credentials.filter((one) => one.username === owner?.username && one.rpId === owner.rpId);
  const record = pending && (await verified(call, response, pending.value, own));
  const user = record && users.find(record.username);
  if (!user) return denied;
  if (isBanned(store.read(), ip, Date.now())) return refused(401, messages.secondFactor);
  await session.renew(signedInAs(user, asksToBeRemembered(call, body), { passkey: true }));
  log("debug", `Successful Passkey authentication attempt by user '${user.username}'`, { remote_ip: ip });
  return afterTwoFactors(call, text(body, "targetURL"));
};

async function newChallenge({ var: { session } }: Call, description: string): Promise<string> {
  const value = randomBytes(32).toString("base64url");
  session.user.challenge = { value, description, expires: Date.now() + timeout };
  await session.save();
  return value;
}

/** A challenge is good for one answer. */
async function takeChallenge({ var: { session } }: Call): Promise<UserSession["challenge"]> {
  const { challenge } = session.user;
  session.user.challenge = undefined;
  await session.save();
  return challenge && challenge.expires > Date.now() ? challenge : undefined;
}

async function requestOf(call: Call, allowed: readonly CredentialRecord[]): Promise<unknown> {
  const challenge = await newChallenge(call, "");
  const allowCredentials = allowed.length === 0 ? {} : { allowCredentials: descriptors(allowed) };
  const { hostname: rpId } = call.var.origin;
  return { publicKey: { challenge, timeout, rpId, ...allowCredentials, userVerification: "required" } };
}

async function answered(call: Call) {
  const body = await bodyOf(call);
  const pending = await takeChallenge(call);
  return { body, pending, response: isAssertion(body?.["response"]) ? body["response"] : undefined };
}

/** Has the fields an authenticator's answer must have; whether they are true is another question. */
function isAssertion(value: unknown): value is AuthenticationResponseJSON {
  if (typeof value !== "object" || value === null || !("id" in value) || !("response" in value)) return false;
  const { response } = value;
  const fields = ["clientDataJSON", "authenticatorData", "signature"];
  return typeof response === "object" && response !== null && fields.every((field) => field in response);
}

function ownCredentials({ var: { store, session, origin } }: Call): CredentialRecord[] {
  const { username } = session.user;
  return store.read().credentials.filter((one) => one.username === username && one.rpId === origin.hostname);
}

function descriptors(credentials: readonly CredentialRecord[]): unknown[] {
  return credentials.map((one) => ({ type: "public-key", id: one.kid, transports: one.transports }));
}

/** The opaque name the authenticator keeps for the user, base64url. */
function userHandle({ var: { store, session, origin } }: Call): string {
  const { username } = session.user;
  const known = store.read().webauthnUsers.find((one) => one.rpId === origin.hostname && one.username === username);
  if (known) return known.userId;
  const userId = randomBytes(48).toString("base64url");
  store.update((state) => {
    state.webauthnUsers.push({ rpId: origin.hostname, username, userId });
  });
  return userId;
}

/** What both ceremonies are checked against: this portal's address, and that the authenticator verified its owner. */
function expected({ var: { origin } }: Call, challenge: string) {
  return {
    expectedChallenge: challenge,
    expectedOrigin: `${origin.proto}://${origin.host}`,
    expectedRPID: origin.hostname,
    requireUserVerification: true,
  };
}

async function attest(
  call: Call,
  response: RegistrationResponseJSON,
  { value, description }: NonNullable<UserSession["challenge"]>,
): Promise<CredentialRecord | undefined> {
  try {
    const { verifyRegistrationResponse } = await import("@simplewebauthn/server");
    const result = await verifyRegistrationResponse({
      response,
      ...expected(call, value),
      supportedAlgorithmIDs: algorithms,
    });
    if (!result.verified) return undefined;
    const { id: kid, publicKey, counter } = result.registrationInfo.credential;
    return {
      id: 0,
      rpId: call.var.origin.hostname,
      username: call.var.session.user.username,
      description,
      kid,
      publicKey: Buffer.from(publicKey).toString("base64url"),
      counter,
      transports: response.response.transports ?? [],
    };
  } catch (error) {
    call.var.log("error", `Error occurred validating a WebAuthn registration: ${reasonOf(error)}`);
    return undefined;
  }
}

async function verified(
  call: Call,
  response: AuthenticationResponseJSON,
  challenge: string,
  candidates: readonly CredentialRecord[],
): Promise<CredentialRecord | undefined> {
  const record = candidates.find((one) => one.kid === response.id);
  if (!record) return undefined;
  try {
    const { verifyAuthenticationResponse } = await import("@simplewebauthn/server");
    const publicKey = new Uint8Array(Buffer.from(record.publicKey, "base64url"));
    const result = await verifyAuthenticationResponse({
      response,
      ...expected(call, challenge),
      credential: { id: record.kid, publicKey, counter: record.counter },
    });
    if (!result.verified) return undefined;
    const counter = result.authenticationInfo.newCounter;
    call.var.store.update((state) => {
      state.credentials = state.credentials.map((one) => (one.id === record.id ? { ...one, counter } : one));
    });
    return record;
  } catch (error) {
    call.var.log("error", `Error occurred validating a WebAuthn assertion: ${reasonOf(error)}`);
    return undefined;
  }
}
