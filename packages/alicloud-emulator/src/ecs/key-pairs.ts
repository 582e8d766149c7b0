import { createHash } from "node:crypto";
import { ecsTags, find, hasTags, matches, paged } from "../answers";
import type { Actions, Answer, Call } from "../call";
import { ApiError, invalid } from "../errors";
import type { KeyPair } from "../model";
import { clientToken, jsonList, name, page, resourceGroup, tagFilter, text } from "../parameters";

export const findKeyPair = ({ cloud }: Call, keyPairName: string): KeyPair =>
  find(cloud.state.keyPairs, keyPairName, "InvalidKeyPair.NotFound");

function importKeyPair(call: Call): Answer {
  const { cloud, parameters, region } = call;
  const id = parameters.text("KeyPairName");
  const publicKey = parameters.text("PublicKeyBody").trim();
  const [, blob] = /^(?:ssh-rsa|ssh-ed25519|ecdsa-sha2-\S+) (\S+)/.exec(publicKey) ?? [];
  if (blob === undefined) throw invalid("InvalidPublicKeyBody.Malformed", "PublicKeyBody");
  if (cloud.state.keyPairs.has(id))
    throw new ApiError(400, "KeyPair.AlreadyExist", `The key pair ${id} already exist.`);
  const fingerprint = createHash("md5").update(Buffer.from(blob, "base64")).digest("hex");
  const base = cloud.base("kp", region, parameters.tags(), parameters.text("ResourceGroupId"));
  cloud.state.keyPairs.set(id, { ...base, id, publicKey, fingerprint });
  return { KeyPairName: id, KeyPairFingerPrint: fingerprint };
}

function describe(call: Call): Answer {
  const { cloud, parameters, region } = call;
  const found = [...cloud.state.keyPairs.values()].filter(
    (pair) =>
      pair.regionId === region &&
      matches(parameters, "KeyPairName", pair.id) &&
      matches(parameters, "KeyPairFingerPrint", pair.fingerprint) &&
      matches(parameters, "ResourceGroupId", pair.resourceGroupId) &&
      hasTags(pair, parameters),
  );
  return paged(call, found, ["KeyPairs", "KeyPair"], (pair) => ({
    KeyPairName: pair.id,
    KeyPairFingerPrint: pair.fingerprint,
    PublicKey: pair.publicKey,
    CreationTime: pair.createdAt,
    ResourceGroupId: pair.resourceGroupId,
    Tags: ecsTags(pair.tags),
  }));
}

function remove(call: Call): Answer {
  const { cloud, parameters } = call;
  for (const pair of parameters.jsonList("KeyPairNames") ?? []) {
    for (const one of cloud.state.instances.values())
      if (one.keyPairName === pair)
        throw new ApiError(400, "InvalidParameter.KeypairAlreadyAttachedInstance", `${pair} is attached to ${one.id}.`);
    cloud.state.keyPairs.delete(pair);
  }
  return {};
}

/** The new key is on the machine after its next start; the emulator only notes it. */
function attach(call: Call, attached: boolean): Answer {
  const { cloud, parameters } = call;
  const pair = findKeyPair(call, parameters.text("KeyPairName"));
  for (const instanceId of parameters.jsonList("InstanceIds") ?? []) {
    const instance = find(cloud.state.instances, instanceId, "InvalidInstanceId.NotFound");
    instance.keyPairName = attached ? pair.id : "";
  }
  return {};
}

const attachment = { required: { KeyPairName: text, InstanceIds: jsonList } };

/** https://api.alibabacloud.com/document/Ecs/2014-05-26/ImportKeyPair and the same page of each action. */
export const keyPairs: Actions = {
  ImportKeyPair: {
    parameters: {
      required: { KeyPairName: name, PublicKeyBody: text },
      optional: { ...clientToken, ...resourceGroup, ...tagFilter },
    },
    handle: importKeyPair,
  },
  DescribeKeyPairs: {
    parameters: {
      optional: { KeyPairName: text, KeyPairFingerPrint: text, ...page, ...resourceGroup, ...tagFilter },
    },
    handle: describe,
  },
  DeleteKeyPairs: { parameters: { required: { KeyPairNames: jsonList } }, handle: remove },
  AttachKeyPair: { parameters: attachment, handle: (call) => attach(call, true) },
  DetachKeyPair: { parameters: attachment, handle: (call) => attach(call, false) },
};
