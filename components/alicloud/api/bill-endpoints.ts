/**
 * Hosts of BSS, the product that tells bills and balances: one for each of the two sites of Alibaba Cloud, which have accounts and a currency
 * of their own (aliyun/alibabacloud-python-sdk, bssopenapi-20171214).
 */
export const billEndpoints = {
  international: "business.ap-southeast-1.aliyuncs.com",
  china: "business.aliyuncs.com",
} as const;
