using System.Security.Cryptography;
using System.Text;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Tests.Accounts;

namespace HybridTrading.Domain.Tests.Performance;

public sealed class OrderListHashTests
{
    private static readonly string Document = Path.Combine(HybridTrading.Tests.SharedData.RepositoryRoot, "docs", "order-list-hash.md");

    [Fact]
    public void The_worked_example_of_the_document_is_what_the_program_does()
    {
        string[] blocks = [.. File.ReadAllText(Document).Replace("\r", "").Split("```").Where((_, i) => i % 2 == 1)];
        string text = blocks.Single(block => block.StartsWith("text\norder-list v1\n", StringComparison.Ordinal))["text\n".Length..].Replace("→", "\t");
        string hash = blocks.Single(block => block.StartsWith("sha256\n", StringComparison.Ordinal))["sha256\n".Length..].Trim();

        Assert.Equal(hash, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
        Assert.Equal(hash, Hash(Example()));
    }

    /// <summary>The example: a market order with a stop loss that is hit, a denied order, and a limit that waits.</summary>
    private static Desk Example()
    {
        var desk = new Desk(Desk.Plain with { Execution = new ExecutionModel(CommissionRate: 0.00002m) });
        desk.Quote(1.10000m, 1.10010m);
        desk.Accepted(desk.Market(Side.Buy, 10_000) with { StopLoss = 1.09900m, Strategy = "acme/ann/cross" });
        desk.Quote(1.10000m, 1.10010m);
        desk.Submit(desk.Market(Side.Sell, 1500));
        desk.Quote(1.09890m, 1.09900m);
        desk.Accepted(desk.Limit(Side.Buy, 2000, 1.09000m));
        return desk;
    }

    [Fact]
    public void Accounts_come_in_ordinal_order_and_every_listed_field_counts()
    {
        OrderList list = ListOf(Example());
        Assert.Equal(
            OrderList.Hash([KeyValuePair.Create("a", list), KeyValuePair.Create("B", list)]),
            OrderList.Hash([KeyValuePair.Create("B", list), KeyValuePair.Create("a", list)]));

        Desk desk = Example();
        OrderAccepted accepted = desk.Events.OfType<OrderAccepted>().First();
        OrderFilled fill = desk.Fills.First();
        string whole = Hash(desk);
        string With(AccountEvent from, AccountEvent to) => Hash(desk.Events.Select(happened => ReferenceEquals(happened, from) ? to : happened));
        string Order(Order order) => With(accepted, accepted with { Order = order });

        string[] others =
        [
            Order(accepted.Order with { Side = Side.Sell }), Order(accepted.Order with { Type = OrderType.Limit }), Order(accepted.Order with { Volume = 11_000 }),
            Order(accepted.Order with { Limit = 1 }), Order(accepted.Order with { Stop = 1 }), Order(accepted.Order with { Trail = 1 }),
            Order(accepted.Order with { TimeInForce = TimeInForce.Day }), Order(accepted.Order with { Strategy = "acme/ann/other" }),
            Order(accepted.Order with { Purpose = OrderPurpose.Flatten }), Order(accepted.Order with { CreatedAt = accepted.Order.CreatedAt.AddTicks(1) }),
            With(fill, fill with { FillTime = fill.FillTime.AddTicks(1) }), With(fill, fill with { Points = fill.Points + 1 }),
            With(fill, fill with { Commission = 0 }), With(fill, fill with { Realised = 1 }), With(fill, fill with { Volume = 9_000 }),
        ];
        Assert.DoesNotContain(whole, others);
        Assert.Equal(others.Length, others.Distinct().Count());
        // Ids, and zeros behind the point, do not.
        Assert.Equal(whole, Order(accepted.Order with { ClientOrderId = "another", Strategy = "other/owner/cross", Decision = "d", Volume = 10_000.00m }));
    }

    [Fact]
    public void A_list_that_does_not_begin_with_the_first_order_is_refused()
    {
        var list = new OrderList(new Desk().Universe);
        Assert.Throws<InvalidOperationException>(() => list.Apply(Example().Events.OfType<OrderAccepted>().Last()));
    }

    private static OrderList ListOf(Desk desk)
    {
        var list = new OrderList(desk.Universe);
        foreach (AccountEvent happened in desk.Events) list.Apply(happened);
        return list;
    }

    private static string Hash(Desk desk) => Hash(desk.Events);

    private static string Hash(IEnumerable<AccountEvent> events)
    {
        var list = new OrderList(new Desk().Universe);
        foreach (AccountEvent happened in events) list.Apply(happened);
        return OrderList.Hash([KeyValuePair.Create("main", list)]);
    }
}
