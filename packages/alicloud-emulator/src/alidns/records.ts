import { matches, paged } from "../answers";
import type { Actions, Answer, Call } from "../call";
import { ApiError, invalid } from "../errors";
import type { DnsRecord } from "../model";
import type { Format } from "../parameters";
import { page, text, whole } from "../parameters";

const findRecord = ({ cloud, parameters }: Call): DnsRecord => {
  const found = cloud.state.records.get(parameters.text("RecordId"));
  if (!found)
    throw new ApiError(400, "DomainRecordNotBelongToUser", "The DNS record is not in this account or does not exist.");
  return found;
};

function zoneOf({ catalogue, parameters }: Call): string {
  const domain = parameters.text("DomainName").toLowerCase();
  if (!catalogue.domains.includes(domain))
    throw new ApiError(400, "InvalidDomainName.NoExist", "The specified domain name does not exist.");
  return domain;
}

/** The least TTL of a zone without a paid plan. */
const leastTtl = 600;

type Content = Pick<DnsRecord, "rr" | "type" | "value" | "ttl" | "priority" | "line">;

/** What add and update have in common; throws for a value its type cannot have and for a doublet. */
function content({ cloud, parameters }: Call, domain: string, own?: DnsRecord): Content {
  const record = {
    rr: parameters.text("RR").toLowerCase(),
    type: parameters.text("Type").toUpperCase(),
    value: parameters.text("Value"),
    ttl: parameters.number("TTL", leastTtl),
    priority: parameters.number("Priority", 0),
    line: parameters.text("Line", "default"),
  };
  if (!/^(@|\*|(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*)$/.test(record.rr))
    throw invalid("DomainRecordRRInvalid", "RR");
  if (record.type === "A" && !/^\d{1,3}(\.\d{1,3}){3}$/.test(record.value)) throw invalid("InvalidValue", "Value");
  if (record.type === "AAAA" && !/^[0-9a-f:]+$/i.test(record.value)) throw invalid("InvalidValue", "Value");
  if (record.ttl < leastTtl) throw new ApiError(400, "QuotaExceeded.TTL", `The TTL must be ${leastTtl} at least.`);
  for (const other of cloud.state.records.values()) {
    if (other.domain !== domain || other.rr !== record.rr || other.line !== record.line || other.id === own?.id)
      continue;
    if (other.type === record.type && other.value === record.value)
      throw new ApiError(400, "DomainRecordDuplicate", "The DNS record already exists.");
    if ((other.type === "CNAME") !== (record.type === "CNAME"))
      throw new ApiError(400, "DomainRecordConflict", "The DNS record conflicts with another one.");
  }
  return record;
}

function add(call: Call): Answer {
  const { cloud, region } = call;
  const domain = zoneOf(call);
  const base = cloud.base("rec", region, {}, "");
  const record: DnsRecord = { ...base, ...content(call, domain), domain, remark: "", enabled: true };
  cloud.state.records.set(record.id, record);
  return { RecordId: record.id };
}

function update(call: Call): Answer {
  const record = findRecord(call);
  const changed = content(call, record.domain, record);
  const same = (["rr", "type", "value", "ttl", "priority", "line"] as const).every(
    (key) => changed[key] === record[key],
  );
  if (same) throw new ApiError(400, "DomainRecordDuplicate", "The DNS record already exists.");
  Object.assign(record, changed);
  return { RecordId: record.id };
}

const show = (record: DnsRecord): Answer => ({
  RecordId: record.id,
  DomainName: record.domain,
  RR: record.rr,
  Type: record.type,
  Value: record.value,
  TTL: record.ttl,
  Priority: record.priority,
  Line: record.line,
  Status: record.enabled ? "ENABLE" : "DISABLE",
  Locked: false,
  Remark: record.remark,
});

function describe(call: Call): Answer {
  const { cloud, parameters } = call;
  const domain = zoneOf(call);
  const found = [...cloud.state.records.values()].filter(
    (record) =>
      record.domain === domain &&
      (parameters.text("RRKeyWord") === "" || record.rr.includes(parameters.text("RRKeyWord"))) &&
      (parameters.text("ValueKeyWord") === "" || record.value.includes(parameters.text("ValueKeyWord"))) &&
      matches(parameters, "TypeKeyWord", record.type),
  );
  return paged(call, found, ["DomainRecords", "Record"], show, 20);
}

function describeDomains(call: Call): Answer {
  const { catalogue, parameters, cloud } = call;
  const word = parameters.text("KeyWord");
  const exact = parameters.text("SearchMode") === "EXACT";
  const found = catalogue.domains.filter((domain) => (exact ? domain === word : domain.includes(word)));
  return paged(
    call,
    found,
    ["Domains", "Domain"],
    (domain) => ({
      DomainId: `emulated-${domain}`,
      DomainName: domain,
      PunyCode: domain,
      AliDomain: true,
      VersionCode: "mianfei",
      VersionName: "Alibaba Cloud DNS",
      RecordCount: [...cloud.state.records.values()].filter((record) => record.domain === domain).length,
      DnsServers: { DnsServer: ["ns1.alidns.com", "ns2.alidns.com"] },
      Tags: { Tag: [] },
    }),
    20,
  );
}

function describeInfo(call: Call): Answer {
  const domain = zoneOf(call);
  return {
    DomainId: `emulated-${domain}`,
    DomainName: domain,
    PunyCode: domain,
    AliDomain: true,
    MinTtl: leastTtl,
    DnsServers: { DnsServer: ["ns1.alidns.com", "ns2.alidns.com"] },
    AvailableTtls: { AvailableTtl: [leastTtl, 1800, 3600, 43200, 86400] },
    RecordLines: { RecordLine: [{ LineCode: "default", LineName: "Default" }] },
  };
}

const langs = { Lang: text, UserClientIp: text };
const recordId = { RecordId: text };
const fields: Readonly<Record<string, Format>> = { RR: text, Type: /^[A-Za-z_]+$/, Value: text };
const more: Readonly<Record<string, Format>> = { TTL: whole, Priority: whole, Line: text, ...langs };

/** https://api.alibabacloud.com/document/Alidns/2015-01-09/AddDomainRecord and the same page of each action. */
export const alidns: Actions = {
  AddDomainRecord: { parameters: { required: { DomainName: text, ...fields }, optional: more }, handle: add },
  UpdateDomainRecord: { parameters: { required: { ...recordId, ...fields }, optional: more }, handle: update },
  DescribeDomainRecordInfo: {
    parameters: { required: recordId, optional: langs },
    handle: (call) => show(findRecord(call)),
  },
  DescribeDomainRecords: {
    parameters: {
      required: { DomainName: text },
      optional: {
        RRKeyWord: text,
        TypeKeyWord: text,
        ValueKeyWord: text,
        KeyWord: text,
        SearchMode: text,
        Line: text,
        Status: text,
        Type: text,
        ...page,
        ...langs,
      },
    },
    handle: describe,
  },
  SetDomainRecordStatus: {
    parameters: { required: { ...recordId, Status: /^(enable|disable)$/i }, optional: langs },
    handle: (call) => {
      const record = findRecord(call);
      record.enabled = call.parameters.text("Status").toLowerCase() === "enable";
      return { RecordId: record.id, Status: record.enabled ? "Enable" : "Disable" };
    },
  },
  UpdateDomainRecordRemark: {
    parameters: { required: recordId, optional: { Remark: text, ...langs } },
    handle: (call) => {
      findRecord(call).remark = call.parameters.text("Remark");
      return {};
    },
  },
  DeleteDomainRecord: {
    parameters: { required: recordId, optional: langs },
    handle: (call) => {
      const { id } = findRecord(call);
      call.cloud.state.records.delete(id);
      return { RecordId: id };
    },
  },
  DescribeDomains: {
    parameters: {
      optional: { KeyWord: text, SearchMode: ["LIKE", "EXACT"], GroupId: text, Starmark: text, ...page, ...langs },
    },
    handle: describeDomains,
  },
  DescribeDomainInfo: {
    parameters: { required: { DomainName: text }, optional: { NeedDetailAttributes: text, ...langs } },
    handle: describeInfo,
  },
};
