import { setTimeout as sleep } from "node:timers/promises";
import Credential from "@alicloud/credentials";
import Client, { Config, OpenApiRequest, Params } from "@alicloud/openapi-client";
import { RuntimeOptions } from "@alicloud/tea-util";
import { z } from "zod";
import { ApiFault, faultOf } from "./api-fault";
import { billEndpoints } from "./bill-endpoints";

/** API versions: https://api.alibabacloud.com/product/Ecs and the same page of each product. */
const versions = { ecs: "2014-05-26", vpc: "2016-04-28", sts: "2015-04-01", bssopenapi: "2017-12-14" } as const;

export type Product = keyof typeof versions;

/** Products whose calls name a region. */
const regional: ReadonlySet<Product> = new Set(["ecs", "vpc"]);
export type Query = Readonly<Record<string, string>>;
export type Environment = Readonly<Record<string, string | undefined>>;

/** Signed calls of Alibaba Cloud's APIs in one region. */
export interface CloudApi {
  /** The answer's body; throws an ApiFault. A call that changes something needs a ClientToken, as it may be sent again. */
  call(product: Product, action: string, query?: Query): Promise<unknown>;
  /** The entries of all pages; `read` takes them out of the body of one page. */
  list<T>(product: Product, action: string, query: Query, read: (page: unknown) => readonly T[]): Promise<T[]>;
}

/** Tags as parameters: of what is made, or to look for. */
export function tagParameters(tags: Readonly<Record<string, string>>): Query {
  const numbered = Object.entries(tags).flatMap(([key, value], index): [string, string][] => [
    [`Tag.${index + 1}.Key`, key],
    [`Tag.${index + 1}.Value`, value],
  ]);
  return Object.fromEntries(numbered);
}

/** Milliseconds. The APIs are far away from some operators (aliyun/aliyun-cli#384). */
const connectTimeout = 10_000;
const readTimeout = 30_000;
/** Milliseconds before each further attempt. */
const pauses = [500, 1500, 4000];

/**
 * The API of `region` with the keys of the environment (the same variables as the Terraform provider's, else Alibaba
 * Cloud's default chain: https://www.alibabacloud.com/help/en/sdk/developer-reference/v2-manage-node-js-access-credentials)
 * and the endpoints of ALIBABA_CLOUD_ENDPOINT_ECS, _VPC, _STS and _BSSOPENAPI, if set.
 */
export function cloudApi(region: string, env: Environment = process.env): CloudApi {
  const keys = keysOf(env);
  const identity = keys
    ? { accessKeyId: keys.id, accessKeySecret: keys.secret, ...(keys.token ? { securityToken: keys.token } : {}) }
    : { credential: new Credential() };
  const clients = new Map<Product, Client>();
  const clientOf = (product: Product): Client => {
    const known = clients.get(product);
    if (known) return known;
    const endpoint = env[`ALIBABA_CLOUD_ENDPOINT_${product.toUpperCase()}`] || endpointOf(product, region);
    const client = new Client(
      new Config({ ...identity, endpoint, protocol: "HTTPS", regionId: region, connectTimeout, readTimeout }),
    );
    clients.set(product, client);
    return client;
  };

  const attempt = async (product: Product, action: string, query: Query): Promise<unknown> => {
    const params = new Params({
      action,
      version: versions[product],
      protocol: "HTTPS",
      method: "POST",
      pathname: "/",
      style: "RPC",
      authType: "AK",
      reqBodyType: "formData",
      bodyType: "json",
    });
    const request = new OpenApiRequest({ query: regional.has(product) ? { RegionId: region, ...query } : query });
    try {
      const answer = await clientOf(product).callApi(params, request, new RuntimeOptions({ autoretry: false }));
      const body: unknown = answer["body"];
      return body;
    } catch (error) {
      throw faultOf(`${product}:${action}`, error, [keys?.id, keys?.secret, keys?.token]);
    }
  };

  const call = async (product: Product, action: string, query: Query = {}): Promise<unknown> => {
    for (const pause of pauses)
      try {
        return await attempt(product, action, query);
      } catch (error) {
        if (!(error instanceof ApiFault && error.passing)) throw error;
        await sleep(pause);
      }
    return attempt(product, action, query);
  };

  return {
    call,
    list: (product, action, query, read) => allPages((page) => call(product, action, { ...query, ...page }), read),
  };
}

function endpointOf(product: Product, region: string): string {
  if (product !== "bssopenapi") return `${product}.${region}.aliyuncs.com`;
  return billEndpoints[region.startsWith("cn-") ? "china" : "international"];
}

interface Keys {
  readonly id: string;
  readonly secret: string;
  readonly token: string | undefined;
}

/** Both names in the provider's order, where empty is as good as not set; undefined: the default chain is asked. */
function keysOf(env: Environment): Keys | undefined {
  const id = env["ALICLOUD_ACCESS_KEY"] || env["ALIBABA_CLOUD_ACCESS_KEY_ID"];
  const secret = env["ALICLOUD_SECRET_KEY"] || env["ALIBABA_CLOUD_ACCESS_KEY_SECRET"];
  const token = env["ALICLOUD_SECURITY_TOKEN"] || env["ALIBABA_CLOUD_SECURITY_TOKEN"];
  return id && secret ? { id, secret, token } : undefined;
}

/** The most that every one of the list calls in use takes (DescribeVpcs: https://api.alibabacloud.com/document/Vpc/2016-04-28/DescribeVpcs). */
const pageSize = 50;

const pageSchema = z.object({ TotalCount: z.number().optional(), NextToken: z.string().optional() });

/** The entries of all pages of a list call, by token where the answer has one, else by number. */
export async function allPages<T>(
  ask: (page: Query) => Promise<unknown>,
  read: (page: unknown) => readonly T[],
): Promise<T[]> {
  const all: T[] = [];
  let page: Query = { PageNumber: "1", PageSize: String(pageSize) };
  for (let number = 2; ; number++) {
    const answer = await ask(page);
    const entries = read(answer);
    all.push(...entries);
    const { TotalCount, NextToken } = pageSchema.parse(answer);
    if (NextToken) page = { NextToken, MaxResults: String(pageSize) };
    else if ("NextToken" in page || entries.length === 0 || all.length >= (TotalCount ?? Infinity)) return all;
    else page = { PageNumber: String(number), PageSize: String(pageSize) };
  }
}
