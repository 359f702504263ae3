using System.ComponentModel;
using System.Reflection;

namespace HybridTrading.Api.Requests;

/// <summary>The code that is generated for an endpoint says of a parameter that it cannot read no more than 400: here it is named.</summary>
internal static class UnboundParameter
{
    /// <summary>400, which names the parameter of the path or the query that is not of its type.</summary>
    public static ApiException Of(HttpContext context)
    {
        foreach (ParameterInfo parameter in context.GetEndpoint()?.Metadata.GetMetadata<MethodInfo>()?.GetParameters() ?? [])
        {
            string name = parameter.Name!;
            string? text = context.Request.RouteValues.TryGetValue(name, out object? part) ? part as string
                : context.Request.Query.TryGetValue(name, out var values) ? values.ToString()
                : null;
            Type type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
            if (text is { Length: > 0 } && type.IsValueType && !IsValid(type, text))
            {
                return ApiException.Invalid(name, $"{name} is {ApiException.Quote(text)}; expected {Problems.Expected(type.Name)}");
            }
        }
        return new ApiException(StatusCodes.Status400BadRequest, ApiReason.InvalidInput, "the request cannot be read");
    }

    private static bool IsValid(Type type, string text)
    {
        try
        {
            return TypeDescriptor.GetConverter(type).ConvertFromInvariantString(text) is not null;
        }
        catch (Exception e) when (e is FormatException or ArgumentException or NotSupportedException or OverflowException)
        {
            return false;
        }
    }
}
