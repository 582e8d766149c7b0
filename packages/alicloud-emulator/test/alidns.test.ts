// DNS records: doublets, conflicts, and what a free zone allows.
import type { Emulator } from "../src/emulator";
import { startEmulator } from "../src/emulator";
import { Account } from "../testing/account";

let emulator: Emulator;
let account: Account;
beforeEach(async () => {
  emulator = await startEmulator();
  account = new Account(emulator);
});
afterEach(() => emulator.close());

const record = { DomainName: "example.com", RR: "*.home", Type: "A", Value: "198.51.100.1", TTL: "600" };

test("a record is added, read, changed and deleted", async () => {
  const RecordId = await account.text("alidns", "AddDomainRecord", "RecordId", record);
  await account.ask("alidns", "SetDomainRecordStatus", { RecordId, Status: "ENABLE" });
  const { TTL, ...rest } = record;
  expect(await account.ask("alidns", "DescribeDomainRecordInfo", { RecordId })).toMatchObject({
    ...rest,
    TTL: Number(TTL),
    Line: "default",
    Status: "ENABLE",
  });
  const { RR, Type } = record;
  await account.ask("alidns", "UpdateDomainRecord", { RecordId, RR, Type, Value: "198.51.100.2", TTL });
  expect(await account.ask("alidns", "DescribeDomainRecords", { DomainName: "example.com" })).toMatchObject({
    DomainRecords: { Record: [{ Value: "198.51.100.2" }] },
  });
  await account.ask("alidns", "DeleteDomainRecord", { RecordId });
  expect(await account.refusal("alidns", "DescribeDomainRecordInfo", { RecordId })).toBe(
    "400 DomainRecordNotBelongToUser",
  );
});

test.each([
  ["the same record again", {}, "400 DomainRecordDuplicate"],
  ["a CNAME beside it", { Type: "CNAME", Value: "a.example" }, "400 DomainRecordConflict"],
  ["a TTL below the plan's", { RR: "x", TTL: "60" }, "400 QuotaExceeded.TTL"],
  ["a name that is none", { RR: "a b" }, "400 DomainRecordRRInvalid"],
  ["an address that is none", { RR: "x", Value: "home" }, "400 InvalidValue"],
  ["a zone of someone else", { DomainName: "example.org" }, "400 InvalidDomainName.NoExist"],
])("%s is refused", async (_, more, code) => {
  await account.ask("alidns", "AddDomainRecord", record);
  expect(await account.refusal("alidns", "AddDomainRecord", { ...record, ...more })).toBe(code);
  expect(emulator.inventory()).toHaveLength(1);
});
