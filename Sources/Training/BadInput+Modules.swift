internal import Cluster
internal import Hub
internal import Kernels

extension ClusterFileError: BadInput {}
extension EndpointText.Malformed: BadInput {}
extension PlaceError: BadInput {}
extension BLASError: BadInput {}
extension HubError: BadInput {}
