// Stand-in for Authelia 4.39.20: passkeys between JSON and the browser, run in the browser.
export interface CreationJson {
  readonly publicKey: PublicKeyCredentialCreationOptionsJSON;
}
export interface RequestJson {
  readonly publicKey: PublicKeyCredentialRequestOptionsJSON;
}

export async function createCredential(json: CreationJson): Promise<unknown> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(json.publicKey);
  return jsonOf(await navigator.credentials.create({ publicKey }));
}

export async function useCredential(json: RequestJson): Promise<unknown> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(json.publicKey);
  return jsonOf(await navigator.credentials.get({ publicKey }));
}

function jsonOf(credential: Credential | null): unknown {
  if (!(credential instanceof PublicKeyCredential)) throw new Error("The browser gave no passkey.");
  return credential.toJSON();
}
