using HybridTrading.Api.Identity;
using HybridTrading.Api.Requests;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;
using HybridTrading.Grains;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Trading;
using HybridTrading.Storage.Backup;

namespace HybridTrading.Silo.Hosting;

/// <summary>
/// What a newcomer finds trading: a paper account and two strategies on the simulated market, on time frames so short that something happens within
/// a minute. Made once, in a data folder that is new, by the calls that the API makes; who stops it is not given it again.
/// </summary>
internal sealed class Demonstration
{
    public const string Account = "demo";

    /// <summary>The simulated instrument that never closes.</summary>
    public const string Symbol = "BTCUSD";

    private const string Pending = "pending", Made = "made";

    private static readonly ImmutableArray<(string Name, StrategySetup Setup)> Strategies =
    [
        ("demo-sma-cross", Setup(SmaCross.Definition, TimeFrame.Parse("S5"), ("fast", 2), ("slow", 5), ("units", 0.1m))),
        ("demo-bollinger", Setup(BollingerReversion.Definition, TimeFrame.Parse("S1"), ("period", 12), ("width", 1.5m), ("units", 0.05m))),
    ];

    private readonly string _mark;

    private Demonstration(string mark) => _mark = mark;

    /// <summary>What the page says of it.</summary>
    public static string Notice => $"Demonstration: the account {Account} and the strategies {StrategyNames} trade play money at made-up prices; "
        + "they were made by the first start.";

    public static string StrategyNames => string.Join(" and ", Strategies.Select(strategy => strategy.Name));

    /// <summary>It has to be made: also where the process that began with it was cut off.</summary>
    public bool IsDue { get; private init; }

    /// <summary>It has been made in this folder, or is about to be.</summary>
    public bool IsThere { get; private init; }

    /// <summary>Decides by the folder's own mark, and by what is wanted where the folder is new.</summary>
    /// <param name="isWanted">False leaves it out, now and later.</param>
    public static Demonstration Plan(DataFolder folder, bool isWanted)
    {
        string mark = Path.Combine(folder.Root, "demo");
        if (folder.IsNew && isWanted) File.WriteAllText(mark, Pending);
        string state = File.Exists(mark) ? File.ReadAllText(mark).Trim() : "";
        if (state == Pending && !isWanted)
        {
            File.Delete(mark);
            state = "";
        }
        return new Demonstration(mark) { IsDue = state == Pending, IsThere = state is Pending or Made };
    }

    /// <summary>Makes it where it is due; doing so again does nothing.</summary>
    public async Task MakeAsync(IGrainFactory grains)
    {
        if (!IsDue) return;
        const string tenant = SignInDesk.FirstTenant, user = SignInDesk.FirstUser;
        using Principal.Scope scope = Principal.Of(tenant);
        string accountKey = Keys.Owned(tenant, user, Account);
        IAccountGrain account = grains.GetGrain<IAccountGrain>(accountKey);
        var terms = new OpenAccount { Name = Account };
        Check(await account.Open(terms.Settings(), RiskLimits.Default, terms.Deposit));
        foreach ((string name, StrategySetup setup) in Strategies)
        {
            string key = Keys.Owned(tenant, user, name);
            IStrategyGrain strategy = grains.GetGrain<IStrategyGrain>(key);
            Check(await strategy.Create(setup));
            Check(await account.SetFollow(key, new FollowTerms(Sizing.AsTheStrategySays)));
            Check(await strategy.SetFollower(accountKey, true));
            Check(await strategy.Start());
        }
        File.WriteAllText(_mark, Made);
    }

    private static StrategySetup Setup(StrategyDefinition definition, TimeFrame frame, params ReadOnlySpan<(string Name, decimal Value)> parameters)
    {
        var values = ImmutableSortedDictionary.CreateBuilder<string, decimal>(StringComparer.Ordinal);
        foreach ((string name, decimal value) in parameters) values.Add(name, value);
        return new StrategySetup(definition.Name, values.ToImmutable(), Symbol, frame);
    }

    private static void Check(CommandResult done)
    {
        if (done.Fault is { } fault) throw new InvalidOperationException($"the demonstration was refused: {fault}");
    }
}
