// Stand-in for Authelia 4.39.20: registering, listing and using passkeys and security keys.
import type { RegistrationResponseJSON } from "@simplewebauthn/server";
import type { CredentialRecord } from "../state/store";
import type { Call, Handler } from "./call";
import { afterTwoFactors } from "./call";
import { notifyEvent } from "./elevation";
import { bodyOf, messages, ok, originOf, refused, text } from "./exchange";
import {
  challengeFor,
  descriptors,
  isAssertion,
  newChallenge,
  ownCredentials,
  takeChallenge,
  userHandle,
  verifyAssertion,
} from "./webauthn-ceremony";

/** COSE names of what the authenticator may sign with: ES256, RS256, EdDSA and their longer kin. */
const algorithms = [-7, -35, -36, -257, -258, -259, -37, -38, -39, -8];

export const registerStart: Handler = async (call) => {
  const { gateway, exchange, session } = call;
  const description = text(bodyOf(exchange) ?? {}, "description");
  const { webauthn } = gateway.config;
  if (description === "" || description.length > 64) return refused(400, messages.webauthnRegister);
  if (ownCredentials(call).some((one) => one.description === description))
    return refused(409, messages.webauthnDuplicate);
  const challenge = newChallenge(call, description);
  await session.save();
  const { discoverability, attachment, userVerification } = webauthn;
  return ok({
    publicKey: {
      rp: { name: webauthn.displayName, id: originOf(exchange).hostname },
      user: { name: session.user.username, displayName: session.user.displayName, id: userHandle(call) },
      challenge,
      pubKeyCredParams: algorithms.map((alg) => ({ type: "public-key", alg })),
      timeout: webauthn.timeout,
      excludeCredentials: descriptors(ownCredentials(call)),
      authenticatorSelection: {
        ...(attachment === "" ? {} : { authenticatorAttachment: attachment }),
        ...(discoverability === ""
          ? {}
          : { residentKey: discoverability, requireResidentKey: discoverability === "required" }),
        ...(userVerification === "" ? {} : { userVerification }),
      },
      attestation: webauthn.attestation,
      extensions: { credProps: true },
    },
  });
};

export const registerFinish: Handler = async (call) => {
  const { gateway, exchange, session } = call;
  const pending = takeChallenge(call);
  await session.save();
  const body = bodyOf(exchange);
  if (!pending) return refused(403, messages.webauthnRegister);
  if (!body || !("id" in body) || !("response" in body)) return refused(400, messages.webauthnRegister);
  const response = body as unknown as RegistrationResponseJSON;
  const record = await attest(call, response, pending.value, pending.description);
  if (!record) return refused(403, messages.webauthnRegister);
  gateway.store.update((state) => {
    state.credentials.push({ ...record, id: state.nextId++ });
  });
  await notifyEvent(
    call,
    "Second Factor Method Added",
    `The passkey '${pending.description}' was added to your account.`,
  );
  return ok(undefined, 201);
};

async function attest(
  call: Call,
  response: RegistrationResponseJSON,
  challenge: string,
  description: string,
): Promise<CredentialRecord | undefined> {
  const { gateway, exchange, session } = call;
  const { proto, host, hostname } = originOf(exchange);
  try {
    const { verifyRegistrationResponse } = await import("@simplewebauthn/server");
    const { verified, registrationInfo: info } = await verifyRegistrationResponse({
      response,
      expectedChallenge: challenge,
      expectedOrigin: `${proto}://${host}`,
      expectedRPID: hostname,
      requireUserVerification: gateway.config.webauthn.userVerification === "required",
      supportedAlgorithmIDs: algorithms,
    });
    if (!verified) return undefined;
    return {
      id: 0,
      createdAt: new Date(gateway.now()).toISOString(),
      rpId: hostname,
      username: session.user.username,
      description,
      kid: info.credential.id,
      publicKey: Buffer.from(info.credential.publicKey).toString("base64url"),
      counter: info.credential.counter,
      transports: response.response.transports ?? [],
      attestationType: info.fmt,
      aaguid: info.aaguid,
      discoverable: response.clientExtensionResults.credProps?.rk === true,
      backupEligible: info.credentialDeviceType === "multiDevice",
      backupState: info.credentialBackedUp,
    };
  } catch (error) {
    gateway.log(
      "error",
      `Error occurred validating a WebAuthn registration: ${error instanceof Error ? error.message : String(error)}`,
    );
    return undefined;
  }
}

export const registerCancel: Handler = async (call) => {
  takeChallenge(call);
  await call.session.save();
  return ok();
};

export const list: Handler = (call) => {
  const own = ownCredentials(call);
  return Promise.resolve(
    ok(
      own.length === 0
        ? null
        : own.map((one) => ({
            id: one.id,
            created_at: one.createdAt,
            last_used_at: one.lastUsedAt,
            rpid: one.rpId,
            username: one.username,
            description: one.description,
            kid: one.kid,
            aaguid: one.aaguid,
            attestation_type: one.attestationType,
            transports: one.transports,
            sign_count: one.counter,
            discoverable: one.discoverable,
            backup_eligible: one.backupEligible,
            backup_state: one.backupState,
          })),
    ),
  );
};

export const rename: Handler = (call) => {
  const description = text(bodyOf(call.exchange) ?? {}, "description");
  const own = ownCredentials(call);
  const chosen = own.find((one) => String(one.id) === call.exchange.path.split("/").at(-1));
  if (!chosen || description === "") return Promise.resolve(refused(403, messages.operation));
  if (own.some((one) => one.id !== chosen.id && one.description === description))
    return Promise.resolve(refused(409, messages.operation));
  call.gateway.store.update((state) => {
    state.credentials = state.credentials.map((one) => (one.id === chosen.id ? { ...one, description } : one));
  });
  return Promise.resolve(ok());
};

export const remove: Handler = async (call) => {
  const chosen = ownCredentials(call).find((one) => String(one.id) === call.exchange.path.split("/").at(-1));
  if (!chosen) return refused(403, messages.operation);
  call.gateway.store.update((state) => {
    state.credentials = state.credentials.filter((one) => one.id !== chosen.id);
  });
  await notifyEvent(
    call,
    "Second Factor Method Removed",
    `The passkey '${chosen.description}' was removed from your account.`,
  );
  return ok();
};

export const assertStart: Handler = async (call) => {
  const own = ownCredentials(call);
  if (own.length === 0) return refused(403, messages.secondFactor);
  const challenge = newChallenge(call, "");
  await call.session.save();
  return ok(challengeFor(call, challenge, descriptors(own)));
};

export const assertFinish: Handler = async (call) => {
  const { gateway, exchange, session } = call;
  const body = bodyOf(exchange);
  const pending = takeChallenge(call);
  await session.save();
  if (!body || !isAssertion(body["response"])) return refused(400, messages.secondFactor);
  if (!pending) return refused(403, messages.secondFactor);
  const result = await verifyAssertion(call, body["response"], pending.value, ownCredentials(call));
  if (!result) return refused(403, messages.secondFactor);
  await session.regenerate();
  session.user.webauthn = true;
  session.user.webauthnVerified = result.userVerified;
  session.user.lastActivity = gateway.now();
  await session.save();
  return afterTwoFactors(call, text(body, "targetURL"));
};
