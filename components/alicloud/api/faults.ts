/** Errors of the Alibaba Cloud APIs that share a cause and a fix. */
interface Fault {
  /** Looked for in the whole text; the first that is found counts. */
  readonly code: RegExp;
  readonly sentence: string | ((text: string) => string);
}

/**
 * https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-errorcodes,
 * aliyun/terraform-provider-alicloud#6658, HXSecurity/TerraformGoat#108
 */
const account: readonly Fault[] = [
  {
    code: /RiskControl/,
    sentence:
      "Alibaba Cloud's risk control has blocked purchases by this account: open a ticket in its console to have it lifted, then run `pulumi up` again.",
  },
  {
    code: /Real-?Name|real name/i,
    sentence:
      "The account's real name is not verified, which this region needs: verify it in the console under Account Center, or choose a region outside the mainland.",
  },
  {
    code: /NotEnoughBalance|Insufficient\w*Balance|Balance\w*Insufficient|INSUFFICIENT_BALANCE|BALANCE_EXCEEDED|Arrearage|InvalidAccountStatus|InvalidPayMethod|PAY\.[A-Z_]+/,
    sentence:
      "The account has too little balance or no valid payment method for this purchase: add one in the console under Expenses, then run `pulumi up` again.",
  },
];

/** https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-runinstances (error codes) */
const stock: readonly Fault[] = [
  {
    code: /StartInstance[\s\S]*NoStock|NoStock[\s\S]*StartInstance/,
    sentence:
      "Stopping the instance released its capacity, and its type is now sold out in the zone: try later, or set another type with `pulumi config set --path 'instanceTypes[0]' TYPE`.",
  },
  {
    code: /NoStock|NotOnSale|StockNotEnough|ResourcesNotInStock|InvalidInstanceType\.(ValueNotSupported|NotSupport\w*|ZoneNotSupport\w*|ValueUnauthorized)|InvalidResourceType\.NotSupported/,
    sentence:
      "The instance type is sold out or not sold in this zone: set another one with `pulumi config set --path 'instanceTypes[0]' TYPE`, then run `pulumi up` again.",
  },
  {
    code: /DiskCategory/,
    sentence:
      "The zone or the instance type does not support this disk category: set another one with `pulumi config set --path 'diskCategories[0]' CATEGORY`, then run `pulumi up` again.",
  },
  {
    code: /InvalidSpotPriceLimit|SpotPrice\w*TooLow|LowerThanPublicPrice/,
    sentence:
      "The price limit for the spot instance is below its current price: raise it with `pulumi config set spotPriceLimitUsd USD`, or use no spot instance with `pulumi config set charge payAsYouGo`, then run `pulumi up` again.",
  },
  {
    code: /InvalidImageId|ImageNotSupport/,
    sentence:
      "The image is not in this region or does not fit the instance type: set another one with `pulumi config set hostImage ID`.",
  },
];

/** https://www.alibabacloud.com/help/en/quota-center/product-overview/what-is-quota-center */
const limits: readonly Fault[] = [
  {
    code: /QuotaExceed|QuotaFull|LimitExceed|NumberExceed|Quota\w*NotEnough/,
    sentence: (text) =>
      `The account has reached a quota${actionOf(text) ? ` (${String(actionOf(text))} was refused)` : ""}: request a higher one in the console's Quota Center or delete unused resources, then run the command again.`,
  },
  {
    code: /Throttling|TooManyRequests/,
    sentence:
      "Alibaba Cloud refused the call because there were too many in a short time: wait a minute, then run the command again.",
  },
];

/** https://www.alibabacloud.com/help/en/ram/support/faq-about-ram-permissions, https://www.alibabacloud.com/help/en/ram/user-guide/create-an-accesskey-pair */
const access: readonly Fault[] = [
  {
    // The provider names its own steps here, not actions of RAM.
    code: /alicloud_(oss|ram)_[\s\S]*(AccessDenied|Forbidden\.RAM|NoPermission)/,
    sentence:
      "The access key may not create a bucket and a key for backups: grant docs/ram-policy-oss.json to its user as well, or set another backupRepository, then run the command again.",
  },
  {
    code: /ErrorCode=UserDisable/,
    sentence:
      "Object Storage Service is not activated in this account, or has an unpaid bill: activate it once in the console under Object Storage Service, then run `pulumi up` again.",
  },
  {
    code: /^bssopenapi:\w+: (NotAuthorized|NoPermission|Forbidden)/,
    sentence:
      "The access key may not read the bill: grant docs/ram-policy-billing.json to its user. Nothing else needs that right.",
  },
  {
    code: /^bssopenapi:\w+: NotApplicable/,
    sentence: "Alibaba Cloud shows this account no bill, as where another account or a reseller pays for it.",
  },
  {
    code: /Forbidden\.(RAM|SubUser|Unauthorized)|Forbbiden\.SubUser|Forbedden\.NotSupportRAM|NoPermission|UnauthorizedOperation/,
    sentence: (text) => refusal(actionOf(text)),
  },
  {
    code: /SignatureDoesNotMatch|IncompleteSignature|InvalidAccessKeySecret/,
    sentence:
      "The access key's secret does not belong to its id: set ALIBABA_CLOUD_ACCESS_KEY_SECRET (or ALICLOUD_SECRET_KEY) to the one that was shown when the key was created.",
  },
  {
    code: /InvalidAccessKeyId|InvalidSecurityToken|SecurityTokenExpired/,
    sentence:
      "Alibaba Cloud does not know the access key, or it is disabled or expired: set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET to a valid one.",
  },
  {
    code: /MissingCredentials|unable to get credentials|no valid credential|Missing(AccessKeyId|SecretKey)|InvalidCredentials/i,
    sentence:
      "There is no access key: set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET (docs/alibaba-cloud.md shows how to get one).",
  },
  {
    code: /InvalidTimeStamp/,
    sentence:
      "This machine's clock is wrong, so Alibaba Cloud refuses its signatures: set the clock, then run the command again.",
  },
];

/**
 * https://www.alibabacloud.com/help/en/vpc/developer-reference/api-vpc-2016-04-28-errorcodes,
 * aliyun/terraform-provider-alicloud#3228, #2969, #2734
 */
const network: readonly Fault[] = [
  {
    code: /DependencyViolation|KeypairAlreadyAttachedInstance/,
    sentence:
      "A resource that this stack did not create still uses the one to be deleted: look in the VPC for instances, network interfaces, load balancers, NAT or IPv6 gateways, route entries and security groups that refer to this one, delete them, then run `pulumi destroy` again.",
  },
  {
    code: /IncorrectEipStatus|InvalidAssociation\.Duplicated|InstanceIdAlreadyBound|EipBind\w*/,
    sentence:
      "The public address is still being bound or unbound, or the instance has one already: wait a minute, run `pulumi refresh`, then the command again.",
  },
  {
    code: /Invalid(Vpc|VSwitch)(Id|ID)?\b|Invalid(Vpc|VSwitch)(Id|ID)?\.NotFound|Forbidden\.(Vpc|VSwitch)NotFound/,
    sentence:
      "The VPC or vSwitch is not in this region: check vpcId, vswitchId and region in the configuration; if it was deleted by hand, `pulumi refresh` removes it from the state.",
  },
  {
    code: /InvalidCidrBlock|CidrBlock\.(Overlap|Conflict)\w*|CIDRBlockConflict/i,
    sentence:
      "The address range of the VPC or vSwitch overlaps another one or lies outside its VPC: choose others with `pulumi config set vpcCidr CIDR` and `pulumi config set vswitchCidr CIDR`.",
  },
];

/**
 * https://www.alibabacloud.com/help/en/dns/api-alidns-2015-01-09-errorcodes,
 * aliyun/terraform-provider-alicloud#1518, TimothyYe/godns#115
 */
const names: readonly Fault[] = [
  {
    code: /DomainRecordDuplicate|DomainRecordConflict|RecordConflict/,
    sentence:
      "The DNS zone already has a record of this name, created by hand or by another stack: delete it in the console, or adopt it with `pulumi import alicloud:dns/alidnsRecord:AlidnsRecord NAME RECORD_ID`, then run `pulumi up` again.",
  },
  {
    code: /InvalidDomainName\.NoExist|IncorrectDomainUser|DomainRecordNotBelongToUser/,
    sentence:
      "The DNS zone is not in this account: add the domain in Alibaba Cloud DNS, or set the records at the provider of the zone (the output nextSteps names them).",
  },
  {
    code: /KeyPair\.AlreadyExist/,
    sentence:
      "A key pair of this name exists already, left from another stack: delete it in the console under Key Pairs, then run `pulumi up` again.",
  },
];

/** https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-errorcodes */
const states: readonly Fault[] = [
  {
    code: /DeletionProtection/,
    sentence:
      "Deletion protection is on: run `pulumi config set protectMachine false` and `pulumi up` first if you really want to delete it.",
  },
  {
    code: /InvalidSnapshotId/,
    sentence:
      "The snapshot is not in this region: check the id in restoreFromSnapshot and the region; `pulumi config rm restoreFromSnapshot` starts with an empty disk.",
  },
  {
    code: /CreateSnapshot\.Failed|IncorrectSnapshotStatus/,
    sentence: "Another snapshot of the disk is under way: wait until it is complete, then run the command again.",
  },
  {
    code: /Incorrect\w*Status|TaskConflict|OperationConflict|Conflict\.Operat\w*/,
    sentence:
      "The resource is in the middle of another change: wait a minute, run `pulumi refresh`, then the command again.",
  },
];

/** The service or the way to it; a client far away may time out although the cloud acted (aliyun/aliyun-cli#384). */
const connection: readonly Fault[] = [
  {
    code: /x509:|CERT_|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)/,
    sentence:
      "The certificate of the API's address is not trusted: something between this machine and Alibaba Cloud intercepts the connection, or an endpoint or certificate variable is set wrongly.",
  },
  {
    code: /ENOTFOUND|EAI_AGAIN|no such host/,
    sentence:
      "The API's address has no DNS entry: check the region's name in the configuration and this machine's DNS.",
  },
  {
    code: /InvalidRegionId/,
    sentence: "There is no such region: check its name in the configuration (ap-southeast-1 is the default).",
  },
  {
    code: /InternalError|ServiceUnavailable|UnknownError|SystemBusy/,
    sentence: "Alibaba Cloud had an internal error: wait a minute, then run the command again.",
  },
  {
    code: /^(ecs|vpc|sts|bssopenapi):(Describe|Get|Query)\w+: (RequestTimeout|ConnectionFailed)/,
    sentence:
      "Alibaba Cloud could not be reached or did not answer in time: check this machine's connection, then run the command again.",
  },
  {
    code: /timeout|timed out|deadline exceeded|ConnectionFailed|connection (reset|refused)|ECONN\w+|broken pipe|\bEOF\b/i,
    sentence:
      "The answer of Alibaba Cloud was lost or did not come in time, so a resource may have been created that is not in the state: run `pulumi refresh` and `pulumi up` again, then look in the console for a duplicate with this stack's tags.",
  },
];

const faults = [account, stock, limits, access, network, names, states, connection].flat();

/** One sentence on what happened and what to do, for the text of an error of the provider or the API; undefined: unknown. */
export function explainFault(errorText: string): string | undefined {
  // One of the provider's clients adds the headers of the answer, among them a keep-alive's timeout.
  const text = errorText.replace(/^\s*RespHeaders: .*$/gm, "");
  const fault = faults.find(({ code }) => code.test(text));
  return typeof fault?.sentence === "function" ? fault.sentence(text) : fault?.sentence;
}

/** The API's action as RAM writes it if the text has that, else its plain name. */
function actionOf(text: string): string | undefined {
  return (
    /AuthAction\W+([a-z]+:\w+)/i.exec(text)?.[1] ??
    /^((?:ecs|vpc|sts):\w+):/.exec(text)?.[1] ??
    /\b(?:Resource|Datasource) \S+ (\w+) Failed/i.exec(text)?.[1]
  );
}

/** What the RAM policy lacks for an action: itself, or what docs/ram-policy.json binds it to. */
function refusal(action = "this"): string {
  const what = `The access key may not do ${action}`;
  if (/DomainRecord/.test(action) && !/Describe/.test(action))
    return `${what}: in the RAM policy of its user, write the zone of your domain where docs/ram-policy.json has example.com, then run the command again.`;
  const fix = `${what}: add that action to the RAM policy of its user (the whole policy is docs/ram-policy.json)`;
  if (action === "this" || /(^|:)(Describe|Get|List)/.test(action)) return `${fix}, then run the command again.`;
  return `${fix}. If cloudcode did not create the resource (a snapshot, an adopted machine), add the tag project: cloudcode to it, which that policy requires; if Pulumi.yaml has another name, use that name, in the policy too. Then run the command again.`;
}
