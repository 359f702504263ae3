// A subnet for each network class of the port map, for nodes and pods alike (Azure CNI, node subnet), so that a pod's address says its class. The map
// gives the compliance network its addresses. Within the cluster the NetworkPolicies in infra/k8s decide; the rules here hold the compliance network apart
// even from a pod or node that Kubernetes does not police.
param location string
param tags object
param name string
@description('By name: services, siloPort, gatewayPort, subnet.')
param networks object
param postgresPort int

var own = '10.20.0.0/16'
var systemCidr = cidrSubnet(own, 20, 0)
var publicCidr = networks.public.?subnet ?? cidrSubnet(own, 20, 1)
var internalCidr = networks.internal.?subnet ?? cidrSubnet(own, 18, 1)
var complianceCidr = networks.compliance.subnet
var databaseCidr = cidrSubnet(own, 24, 240)
var silos = [internalCidr, complianceCidr]

resource complianceRules 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: 'nsg-compliance'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'within'
        properties: { priority: 100, direction: 'Inbound', access: 'Allow', protocol: '*', sourceAddressPrefix: complianceCidr, sourcePortRange: '*', destinationAddressPrefix: complianceCidr, destinationPortRange: '*' }
      }
      {
        // Kubernetes' own: the tunnel to the kubelets, metrics.
        name: 'kubernetes'
        properties: { priority: 110, direction: 'Inbound', access: 'Allow', protocol: '*', sourceAddressPrefix: systemCidr, sourcePortRange: '*', destinationAddressPrefix: complianceCidr, destinationPortRange: '*' }
      }
      {
        name: 'silos'
        properties: { priority: 120, direction: 'Inbound', access: 'Allow', protocol: 'Tcp', sourceAddressPrefix: internalCidr, sourcePortRange: '*', destinationAddressPrefix: complianceCidr, destinationPortRange: string(networks.compliance.siloPort) }
      }
      {
        name: 'clients'
        properties: { priority: 130, direction: 'Inbound', access: 'Allow', protocol: 'Tcp', sourceAddressPrefix: publicCidr, sourcePortRange: '*', destinationAddressPrefix: complianceCidr, destinationPortRange: string(networks.compliance.gatewayPort) }
      }
      {
        name: 'nobody-else'
        properties: { priority: 4000, direction: 'Inbound', access: 'Deny', protocol: '*', sourceAddressPrefix: '*', sourcePortRange: '*', destinationAddressPrefix: '*', destinationPortRange: '*' }
      }
    ]
  }
}

resource databaseRules 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: 'nsg-database'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'within'
        properties: { priority: 100, direction: 'Inbound', access: 'Allow', protocol: '*', sourceAddressPrefix: databaseCidr, sourcePortRange: '*', destinationAddressPrefix: databaseCidr, destinationPortRange: '*' }
      }
      {
        name: 'processes'
        properties: { priority: 110, direction: 'Inbound', access: 'Allow', protocol: 'Tcp', sourceAddressPrefixes: concat(silos, [publicCidr]), sourcePortRange: '*', destinationAddressPrefix: databaseCidr, destinationPortRange: string(postgresPort) }
      }
      {
        name: 'nobody-else'
        properties: { priority: 4000, direction: 'Inbound', access: 'Deny', protocol: '*', sourceAddressPrefix: 'VirtualNetwork', sourcePortRange: '*', destinationAddressPrefix: '*', destinationPortRange: '*' }
      }
    ]
  }
}

resource nodeRules 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: 'nsg-nodes'
  location: location
  tags: tags
}

resource vnet 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [own, complianceCidr] }
    subnets: [
      { name: 'system', properties: { addressPrefix: systemCidr, networkSecurityGroup: { id: nodeRules.id } } }
      { name: 'public', properties: { addressPrefix: publicCidr, networkSecurityGroup: { id: nodeRules.id } } }
      { name: 'internal', properties: { addressPrefix: internalCidr, networkSecurityGroup: { id: nodeRules.id } } }
      { name: 'compliance', properties: { addressPrefix: complianceCidr, networkSecurityGroup: { id: complianceRules.id } } }
      {
        name: 'database'
        properties: {
          addressPrefix: databaseCidr
          networkSecurityGroup: { id: databaseRules.id }
          delegations: [{ name: 'postgres', properties: { serviceName: 'Microsoft.DBforPostgreSQL/flexibleServers' } }]
        }
      }
    ]
  }
}

output vnet string = vnet.id
output databaseCidr string = databaseCidr
output databaseSubnet string = '${vnet.id}/subnets/database'
output subnets object = {
  system: '${vnet.id}/subnets/system'
  public: '${vnet.id}/subnets/public'
  internal: '${vnet.id}/subnets/internal'
  compliance: '${vnet.id}/subnets/compliance'
}
