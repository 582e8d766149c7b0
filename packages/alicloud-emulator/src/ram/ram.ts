import { randomBytes } from "node:crypto";
import { find, paged } from "../answers";
import type { Action, Actions, Answer, Call } from "../call";
import { ApiError, notFound } from "../errors";
import type { RamPolicy, RamUser } from "../model";
import type { Table } from "../parameters";
import { flag, text, whole } from "../parameters";
import { policySchema } from "../policy";

const word = /^[A-Za-z0-9._-]{1,64}$/;
const user = { UserName: word } as const;
const policy = { PolicyName: /^[A-Za-z0-9-]{1,128}$/ } as const;
const policyType = { PolicyType: ["Custom"] } as const;

function userNamed({ cloud, parameters }: Call): RamUser {
  const name = parameters.text("UserName");
  const found = [...cloud.state.ramUsers.values()].find((one) => one.name === name);
  if (found === undefined) throw notFound("EntityNotExist.User", name);
  return found;
}

const policyNamed = ({ cloud, parameters }: Call): RamPolicy =>
  find(cloud.state.ramPolicies, parameters.text("PolicyName"), "EntityNotExist.Policy");

const taken = (kind: string, name: string): ApiError =>
  new ApiError(409, `EntityAlreadyExists.${kind}`, `The ${kind.toLowerCase()} ${name} already exists.`);

const shownUser = ({ id, name, comments, createdAt }: RamUser): Answer => ({
  UserId: id,
  UserName: name,
  DisplayName: "",
  MobilePhone: "",
  Email: "",
  Comments: comments,
  CreateDate: createdAt,
});

const shownPolicy = ({ id, description, createdAt }: RamPolicy, used: number): Answer => ({
  PolicyName: id,
  PolicyType: "Custom",
  Description: description,
  DefaultVersion: "v1",
  CreateDate: createdAt,
  AttachmentCount: used,
});

function createUser({ cloud, parameters, region }: Call): Answer {
  const name = parameters.text("UserName");
  if ([...cloud.state.ramUsers.values()].some((one) => one.name === name)) throw taken("User", name);
  const id = String(2e17 + cloud.state.ramUsers.size + Math.floor(Math.random() * 1e9));
  const made = {
    ...cloud.base("user", region, {}, ""),
    id,
    name,
    comments: parameters.text("Comments"),
    policies: [],
    keys: [],
  };
  cloud.state.ramUsers.set(id, made);
  return { User: shownUser(made) };
}

function deleteUser(call: Call): Answer {
  const one = userNamed(call);
  if (one.keys.length > 0) throw conflict("User.AccessKey");
  if (one.policies.length > 0) throw conflict("User.Policy");
  call.cloud.state.ramUsers.delete(one.id);
  return {};
}

const conflict = (what: string): ApiError => new ApiError(409, `DeleteConflict.${what}`, "Something still uses it.");

function createPolicy({ cloud, parameters, region }: Call): Answer {
  const id = parameters.text("PolicyName");
  if (cloud.state.ramPolicies.has(id)) throw taken("Policy", id);
  const document = parameters.text("PolicyDocument");
  const parsed = policySchema.safeParse(JSON.parse(document));
  if (!parsed.success) throw new ApiError(400, "MalformedPolicyDocument", parsed.error.message);
  const made = { ...cloud.base("policy", region, {}, ""), id, document, description: parameters.text("Description") };
  cloud.state.ramPolicies.set(id, made);
  return { Policy: shownPolicy(made, 0) };
}

const usersOf = ({ cloud }: Call, { id }: RamPolicy): RamUser[] =>
  [...cloud.state.ramUsers.values()].filter((one) => one.policies.includes(id));

function getPolicy(call: Call): Answer {
  const one = policyNamed(call);
  const version = { VersionId: "v1", IsDefaultVersion: true, PolicyDocument: one.document, CreateDate: one.createdAt };
  return { Policy: shownPolicy(one, usersOf(call, one).length), DefaultPolicyVersion: version };
}

function deletePolicy(call: Call): Answer {
  const one = policyNamed(call);
  const users = usersOf(call, one);
  if (users.length > 0 && !call.parameters.flag("CascadingDelete", false)) throw conflict("Policy.User");
  for (const each of users) each.policies = each.policies.filter((id) => id !== one.id);
  call.cloud.state.ramPolicies.delete(one.id);
  return {};
}

function attach(call: Call): Answer {
  const { id } = policyNamed(call);
  const one = userNamed(call);
  if (one.policies.includes(id)) throw taken("User.Policy", id);
  one.policies.push(id);
  return {};
}

function detach(call: Call): Answer {
  const one = userNamed(call);
  const { id } = policyNamed(call);
  if (!one.policies.includes(id)) throw notFound("EntityNotExist.User.Policy", id);
  one.policies = one.policies.filter((other) => other !== id);
  return {};
}

function createKey(call: Call): Answer {
  const one = userNamed(call);
  if (one.keys.length >= 2) throw new ApiError(409, "LimitExceeded.User.AccessKey", "A user has two keys at most.");
  const key = {
    id: `LTAI5t${randomBytes(9).toString("hex")}`,
    secret: randomBytes(15).toString("hex"),
    createdAt: one.createdAt,
  };
  one.keys.push(key);
  const shown = { AccessKeyId: key.id, AccessKeySecret: key.secret, Status: "Active", CreateDate: key.createdAt };
  return { AccessKey: shown };
}

function deleteKey(call: Call): Answer {
  const one = userNamed(call);
  const id = call.parameters.text("UserAccessKeyId");
  if (!one.keys.some((key) => key.id === id)) throw notFound("EntityNotExist.User.AccessKey", id);
  one.keys = one.keys.filter((key) => key.id !== id);
  return {};
}

const action = (required: Table["required"], handle: Action["handle"], optional: Table["optional"] = {}): Action => ({
  parameters: { ...(required && { required }), optional },
  handle,
});

/** https://api.alibabacloud.com/document/Ram/2015-05-01/CreateUser and the same page of each action. */
export const ram: Actions = {
  CreateUser: action(user, createUser, { Comments: text }),
  GetUser: action(user, (call) => ({ User: shownUser(userNamed(call)) })),
  ListUsers: action(
    {},
    (call) => ({
      ...paged(call, [...call.cloud.state.ramUsers.values()], ["Users", "User"], shownUser, 100),
      IsTruncated: false,
    }),
    { MaxItems: whole, Marker: text },
  ),
  DeleteUser: action(user, deleteUser),
  CreatePolicy: action({ ...policy, PolicyDocument: text }, createPolicy, { Description: text }),
  GetPolicy: action({ ...policy, ...policyType }, getPolicy),
  DeletePolicy: action(policy, deletePolicy, { CascadingDelete: flag }),
  ListTagResources: action({ ResourceType: ["policy"], ResourceNames: text }, () => ({
    TagResources: { TagResource: [] },
  })),
  AttachPolicyToUser: action({ ...user, ...policy, ...policyType }, attach),
  DetachPolicyFromUser: action({ ...user, ...policy, ...policyType }, detach),
  ListPoliciesForUser: action(user, (call) => ({
    Policies: {
      Policy: userNamed(call).policies.map((id) => ({ PolicyName: id, PolicyType: "Custom", DefaultVersion: "v1" })),
    },
  })),
  CreateAccessKey: action(user, createKey),
  ListAccessKeys: action(user, (call) => ({
    AccessKeys: {
      AccessKey: userNamed(call).keys.map((key) => ({
        AccessKeyId: key.id,
        Status: "Active",
        CreateDate: key.createdAt,
      })),
    },
  })),
  DeleteAccessKey: action({ ...user, UserAccessKeyId: text }, deleteKey),
};
