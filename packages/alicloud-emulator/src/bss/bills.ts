import { accountId } from "../account-id";
import type { Actions, Answer } from "../call";
import { text } from "../parameters";

const answered = (Data: Answer): Answer => ({ Code: "Success", Message: "Successful!", Success: true, Data });

/** As the API writes amounts: a text, with commas between thousands. */
const written = (amount: number) =>
  amount.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** Bills and the balance of the account: what the emulator was told. */
export const bss: Actions = {
  // https://www.alibabacloud.com/help/doc-detail/87997.htm
  QueryAccountBalance: {
    parameters: {},
    right: "bss:DescribeAcccount",
    handle: ({ finances, terms }) =>
      answered({
        AvailableAmount: written(finances.balance),
        AvailableCashAmount: written(finances.balance),
        CreditAmount: "0.00",
        MybankCreditAmount: "0.00",
        Currency: terms.currency,
      }),
  },
  // https://www.alibabacloud.com/help/en/user-center/developer-reference/api-bssopenapi-2017-12-14-querybilloverview
  QueryBillOverview: {
    parameters: {
      required: { BillingCycle: /^\d{4}-\d{2}$/ },
      optional: { ProductCode: text, ProductType: text, SubscriptionType: ["Subscription", "PayAsYouGo"] },
    },
    right: "bss:DescribeBillList",
    handle: ({ finances, parameters, terms }) => {
      const BillingCycle = parameters.text("BillingCycle");
      const asked = parameters.text("ProductCode");
      const products = Object.entries(finances.bills[BillingCycle] ?? {});
      const Item = products
        .filter(([ProductCode]) => asked === "" || asked === ProductCode)
        .map(([ProductCode, amount]) => ({
          Item: "PayAsYouGoBill",
          SubscriptionType: "PayAsYouGo",
          ProductCode,
          ProductName: ProductCode,
          PretaxGrossAmount: amount,
          PretaxAmount: amount,
          PaymentAmount: 0,
          OutstandingAmount: amount,
          Currency: terms.currency,
        }));
      return answered({ BillingCycle, AccountID: accountId, Items: { Item } });
    },
  },
};
